use motif_sdk::{
    Pubkey,
    client::Client,
    licensing::{ParentShare, Right},
};

use crate::{channel::find_channel, error::CliError, reference::WorkReference, session::Session};

/// A license by its channel and its place there, `CHANNEL#INDEX`; or by its place alone, on the
/// one open channel of the keypair that signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LicenseReference {
    channel: Option<Pubkey>,
    index: u16,
}

impl LicenseReference {
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no license; write CHANNEL#INDEX, or INDEX");
        let (channel, index) = match text.split_once('#') {
            Some((channel, index)) => (Some(channel.parse().map_err(|_| wrong())?), index),
            None => (None, text),
        };
        Ok(Self { channel, index: index.parse().map_err(|_| wrong())? })
    }
}

/// A parent as the command line names it, by the right that the command line names, if any.
pub struct NamedParent {
    pub share: ParentShare,
    pub right: Option<Right>,
}

/// Parents named by themselves, and by licenses. A license whose work is not named beside it puts
/// the share on it that its terms ask for.
///
/// # Errors
/// [`CliError::NeitherAddressNorFile`]; as [`WorkReference::address`];
/// [`motif_sdk::Error::NotFound`] for a license that does not exist.
pub async fn parents(
    named: &[(String, u16)],
    licenses: &[LicenseReference],
    client: &Client,
    session: &Session,
) -> Result<Vec<NamedParent>, CliError> {
    let mut parents = Vec::with_capacity(named.len() + licenses.len());
    for (which, share_bps) in named {
        let reference = WorkReference::parse(which);
        let reference = reference.map_err(|_| CliError::NeitherAddressNorFile(which.clone()))?;
        let share = ParentShare { work: reference.address(client).await?, share_bps: *share_bps };
        parents.push(NamedParent { share, right: None });
    }
    for LicenseReference { channel, index } in licenses {
        let (channel, account) = find_channel(*channel, client, session).await?;
        let license = account.licenses.get(usize::from(*index)).ok_or_else(|| {
            let wanted = format!("index {index}");
            CliError::NoLicense { channel, wanted }
        })?;
        let terms_number = license.terms_number;
        let right = Some(Right::License { terms_number, channel, index: *index });
        match parents.iter_mut().find(|parent| parent.share.work == license.work) {
            Some(parent) => parent.right = right,
            None => {
                let agreed = client.terms(&license.work, terms_number).await?;
                let share_bps = agreed.terms.offer.derivative_share_bps;
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
    fn a_license_is_named_by_its_channel_and_place() {
        let channel = Pubkey::new_from_array([7; 32]);
        let named = LicenseReference::parse(&format!("{channel}#12"));
        assert_eq!(named, Ok(LicenseReference { channel: Some(channel), index: 12 }));
        assert_eq!(LicenseReference::parse("3"), Ok(LicenseReference { channel: None, index: 3 }));
        for wrong in ["", "#1", "-1", &channel.to_string(), &format!("{channel}#-1")] {
            assert!(LicenseReference::parse(wrong).is_err(), "{wrong}");
        }
    }
}
