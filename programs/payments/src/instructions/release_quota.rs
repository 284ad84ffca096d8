use anchor_lang::prelude::*;
use motif_interface::{
    licensing::Terms,
    payments::{Channel, Issuance, PaymentsError},
};

use crate::{clock::now, event::QuotaReleased, state::ChannelMut};

#[derive(Accounts)]
pub struct ReleaseQuota<'info> {
    /// Any key after the license has expired or the channel has closed; before that payer or
    /// operator's authority.
    pub caller: Signer<'info>,

    #[account(mut)]
    pub channel: AccountLoader<'info, Channel>,

    /// Terms of the license, which define the shared caps; checked by the handler.
    pub terms: Box<Account<'info, Terms>>,

    #[account(mut, has_one = terms)]
    pub issuance: Account<'info, Issuance>,

    /// The other party, for a license that can still be charged.
    pub cosigner: Option<Signer<'info>>,
}

pub fn handle_release_quota(ctx: Context<ReleaseQuota>, index: u16) -> Result<()> {
    let ReleaseQuota { caller, channel, terms, issuance, cosigner } = ctx.accounts;
    let signers = [Some(&*caller), cosigner.as_ref()];
    let signed = |key: &Pubkey| signers.iter().flatten().any(|signer| signer.key == key);
    let unused = {
        let ChannelMut { mut channel, mut licenses } = ChannelMut::open(channel)?;
        let license = licenses.get_mut(usize::from(index));
        let license = license.ok_or(PaymentsError::LicenseNotFound)?;
        let own = (license.work, license.terms_number) == (terms.work, terms.number);
        require!(own, PaymentsError::LicenseTermsMismatch);
        channel.require_releasable(license, signed, now()?)?;
        let earmark = license.earmark();
        let unused = license.release_quota(&terms.offer.caps)?;
        channel.release_earmark(earmark)?;
        unused
    };
    issuance.release(unused)?;
    emit!(QuotaReleased {
        channel: channel.key(),
        index,
        units: unused.units,
        revenue: unused.revenue,
    });
    Ok(())
}
