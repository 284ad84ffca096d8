use std::fmt;

use motif_interface::licensing::{Use, WorkKind, WorkStatus};
use serde::{Deserialize, Serialize};

use super::{Address, Amount};

/// Conditions on works; all given fields must match.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "openapi", into_params(parameter_in = Query))]
pub struct WorkQuery {
    /// Key that registered the work.
    pub creator: Option<Address>,
    /// Present owner.
    pub owner: Option<Address>,
    /// Kind of content.
    pub kind: Option<WorkKind>,
    /// Status: active, withdrawn or disputed.
    pub status: Option<WorkStatus>,
    /// Use that the latest terms license.
    #[serde(rename = "use")]
    pub licensed_use: Option<Use>,
    /// Maximum price of one unit of the use, or of any use.
    pub max_price: Option<Amount>,
    /// Mint of the latest terms.
    pub currency: Option<Address>,
    /// Maximum number of works; default 100, at most 1,000.
    pub limit: Option<u32>,
    /// Number of works to skip.
    pub offset: Option<u32>,
}

/// Formats the query string of a URL.
impl fmt::Display for WorkQuery {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&serde_urlencoded::to_string(self).map_err(|_| fmt::Error)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn query_contains_given_fields_only() {
        assert_eq!(WorkQuery::default().to_string(), "");
        let query = WorkQuery {
            kind: Some(WorkKind::StyleModel),
            licensed_use: Some(Use::Generate),
            max_price: Some(Amount(1_000)),
            limit: Some(5),
            ..WorkQuery::default()
        };
        assert_eq!(query.to_string(), "kind=style-model&use=generate&max_price=1000&limit=5");
    }
}
