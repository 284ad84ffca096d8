use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Address, Amount, KindWord, StatusWord, UseWord};

/// Which works to list; every given field must match.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "openapi", into_params(parameter_in = Query))]
pub struct WorkQuery {
    /// Only those this key registered.
    pub creator: Option<Address>,
    /// Only those this key owns now.
    pub owner: Option<Address>,
    /// Only those of this kind.
    pub kind: Option<KindWord>,
    /// Only those that are active, withdrawn or disputed.
    pub status: Option<StatusWord>,
    /// Only those whose latest terms license this use.
    #[serde(rename = "use")]
    pub licensed_use: Option<UseWord>,
    /// Only those whose latest terms ask at most this for a unit of the use, or of any use.
    pub max_price: Option<Amount>,
    /// Only those whose latest terms are in this mint.
    pub currency: Option<Address>,
    /// How many to list; 100 where it is left out, 1,000 at most.
    pub limit: Option<u32>,
    /// How many to leave out first.
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
    fn a_query_says_what_was_given_and_nothing_else() {
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
