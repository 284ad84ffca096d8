use anchor_lang::prelude::*;
use licensing::Terms;

use crate::{
    error::PaymentsError,
    event::QuotaReleased,
    state::{Channel, ChannelMut, Issuance},
};

#[derive(Accounts)]
pub struct ReleaseQuota<'info> {
    /// The operator; anybody once the license has expired or the channel is closed.
    pub caller: Signer<'info>,

    #[account(mut)]
    pub channel: AccountLoader<'info, Channel>,

    /// Those of the license, which the handler checks: they say which caps are shared.
    pub terms: Box<Account<'info, Terms>>,

    #[account(mut, has_one = terms)]
    pub issuance: Account<'info, Issuance>,
}

pub fn handle_release_quota(ctx: Context<ReleaseQuota>, index: u16) -> Result<()> {
    let now = Clock::get()?.unix_timestamp;
    let ReleaseQuota { caller, channel, terms, issuance } = ctx.accounts;
    let left = {
        let ChannelMut { mut channel, mut licenses } = ChannelMut::open(channel)?;
        let license = licenses.get_mut(usize::from(index));
        let license = license.ok_or(PaymentsError::LicenseNotFound)?;
        let own = (license.work, license.terms_number) == (terms.work, terms.number);
        require!(own, PaymentsError::LicenseTermsMismatch);
        channel.require_may_close(license, &caller.key(), now)?;
        let left = license.give_back(&terms.offer.caps)?;
        channel.quotas_held -= 1; // one for each license that holds a quota
        left
    };
    issuance.take_back(left)?;
    emit!(QuotaReleased {
        channel: channel.key(),
        index,
        units: left.units,
        revenue: left.revenue,
    });
    Ok(())
}
