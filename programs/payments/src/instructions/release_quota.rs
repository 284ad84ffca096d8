use anchor_lang::prelude::*;
use motif_interface::{
    licensing::Terms,
    payments::{Channel, Issuance, PaymentsError},
};

use crate::{event::QuotaReleased, state::ChannelMut};

#[derive(Accounts)]
pub struct ReleaseQuota<'info> {
    /// The operator's authority, or any key after the license has expired or the channel has closed.
    pub caller: Signer<'info>,

    #[account(mut)]
    pub channel: AccountLoader<'info, Channel>,

    /// Terms of the license, which define the shared caps; checked by the handler.
    pub terms: Box<Account<'info, Terms>>,

    #[account(mut, has_one = terms)]
    pub issuance: Account<'info, Issuance>,
}

pub fn handle_release_quota(ctx: Context<ReleaseQuota>, index: u16) -> Result<()> {
    let now = Clock::get()?.unix_timestamp;
    let ReleaseQuota { caller, channel, terms, issuance } = ctx.accounts;
    let unused = {
        let ChannelMut { mut channel, mut licenses } = ChannelMut::open(channel)?;
        let license = licenses.get_mut(usize::from(index));
        let license = license.ok_or(PaymentsError::LicenseNotFound)?;
        let own = (license.work, license.terms_number) == (terms.work, terms.number);
        require!(own, PaymentsError::LicenseTermsMismatch);
        channel.require_releasable(license, &caller.key(), now)?;
        let unused = license.release_quota(&terms.offer.caps)?;
        channel.quotas_held -= 1; // one for each license that holds a quota
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
