use std::str::FromStr;

use motif_sdk::{
    Pubkey,
    client::Client,
    licensing::{ParentShare, Right},
};

use crate::{
    channel::find_channel,
    error::CliError,
    reference::{ShareArg, WorkReference},
    session::Session,
};

/// License on the command line: `CHANNEL#INDEX`, or `INDEX` on the only open channel of the keypair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LicenseReference {
    channel: Option<Pubkey>,
    index: u16,
}

impl FromStr for LicenseReference {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        const EXPECTED: &str = "expected INDEX or CHANNEL#INDEX";
        let (channel, index) = match text.split_once('#') {
            Some((channel, index)) => (Some(channel.parse().map_err(|_| EXPECTED)?), index),
            None => (None, text),
        };
        Ok(Self { channel, index: index.parse().map_err(|_| EXPECTED)? })
    }
}

/// Parent of a work, with the right to derive from it if the command line names one.
pub struct NamedParent {
    pub share: ParentShare,
    pub right: Option<Right>,
}

/// Returns the parents given by themselves and by licenses. A work that only a license names gets
/// the share that the license's terms require.
///
/// # Errors
/// [`CliError::InvalidReference`]; as [`WorkReference::address`]; [`motif_sdk::Error::NotFound`] if
/// a license does not exist.
pub async fn parents(
    given: &[ShareArg],
    licenses: &[LicenseReference],
    client: &Client,
    session: &Session,
) -> Result<Vec<NamedParent>, CliError> {
    let mut parents = Vec::with_capacity(given.len() + licenses.len());
    for ShareArg { holder, share_bps } in given {
        let reference = WorkReference::from_str(holder);
        let reference = reference.map_err(|_| CliError::InvalidReference(holder.clone()))?;
        let share = ParentShare { work: reference.address(client).await?, share_bps: *share_bps };
        parents.push(NamedParent { share, right: None });
    }
    for LicenseReference { channel, index } in licenses {
        let (channel, account) = find_channel(*channel, client, session).await?;
        let license = account.licenses.get(usize::from(*index)).ok_or_else(|| {
            let wanted = format!("index {index}");
            CliError::LicenseMissing { channel, wanted }
        })?;
        let terms_number = license.terms_number;
        let right = Some(Right::License { terms_number, channel, index: *index });
        match parents.iter_mut().find(|parent| parent.share.work == license.work) {
            Some(parent) => parent.right = right,
            None => {
                let accepted = client.terms(&license.work, terms_number).await?;
                let share_bps = accepted.terms.offer.derivative_share_bps;
                let share = ParentShare { work: license.work, share_bps };
                parents.push(NamedParent { share, right });
            }
        }
    }
    Ok(parents)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn license_reference_is_parsed() {
        let channel = Pubkey::new_from_array([7; 32]);
        let parse = LicenseReference::from_str;
        let expected = LicenseReference { channel: Some(channel), index: 12 };
        assert_eq!(parse(&format!("{channel}#12")), Ok(expected));
        assert_eq!(parse("3"), Ok(LicenseReference { channel: None, index: 3 }));
        for wrong in ["", "#1", "-1", &channel.to_string(), &format!("{channel}#-1")] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
