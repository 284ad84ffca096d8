use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Address, Amount, KindWord, StatusWord, UseWord};

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
    pub kind: Option<KindWord>,
    /// Status: active, withdrawn or disputed.
    pub status: Option<StatusWord>,
    /// Use that the latest terms license.
    #[serde(rename = "use")]
    pub licensed_use: Option<UseWord>,
    /// Maximum price of one unit of the use, or of any use.
    pub max_price: Option<Amount>,
    /// Mint of the latest terms.
    pub currency: Option<Address>,
    /// Maximum number of works; default 100, at most 1,000.
    pub limit: Option<u32>,
    /// Number of works to skip.
    pub offset: Option<u32>,
}

/// As a URL's query: no value has a character that would need to be escaped.
impl fmt::Display for WorkQuery {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pairs = [
            ("creator", self.creator.map(|value| value.to_string())),
            ("owner", self.owner.map(|value| value.to_string())),
            ("kind", self.kind.map(|value| value.to_string())),
            ("status", self.status.map(|value| value.to_string())),
            ("use", self.licensed_use.map(|value| value.to_string())),
            ("max_price", self.max_price.map(|value| value.to_string())),
            ("currency", self.currency.map(|value| value.to_string())),
            ("limit", self.limit.map(|value| value.to_string())),
            ("offset", self.offset.map(|value| value.to_string())),
        ];
        let given =
            pairs.iter().filter_map(|(name, value)| value.as_ref().map(|value| (name, value)));
        for (position, (name, value)) in given.enumerate() {
            let separator = if position > 0 { "&" } else { "" };
            write!(formatter, "{separator}{name}={value}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn query_contains_given_fields_only() {
        assert_eq!(WorkQuery::default().to_string(), "");
        let query = WorkQuery {
            kind: Some(KindWord::StyleModel),
            licensed_use: Some(UseWord::Generate),
            max_price: Some(Amount(1_000)),
            limit: Some(5),
            ..WorkQuery::default()
        };
        assert_eq!(query.to_string(), "kind=style-model&use=generate&max_price=1000&limit=5");
    }
}
