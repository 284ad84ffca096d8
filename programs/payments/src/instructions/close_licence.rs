use anchor_lang::prelude::*;
use licensing::Terms;

use crate::{
    error::PaymentsError,
    event::QuotaReturned,
    state::{Channel, ChannelMut, Issuance},
};

#[derive(Accounts)]
pub struct CloseLicence<'info> {
    /// The operator; anybody once the licence has expired or the channel is closed.
    pub caller: Signer<'info>,

    #[account(mut)]
    pub channel: AccountLoader<'info, Channel>,

    /// Those of the licence, which the handler checks: they say which caps are shared.
    pub terms: Box<Account<'info, Terms>>,

    #[account(mut, has_one = terms)]
    pub issuance: Account<'info, Issuance>,
}

pub fn handle_close_licence(ctx: Context<CloseLicence>, index: u16) -> Result<()> {
    let now = Clock::get()?.unix_timestamp;
    let CloseLicence { caller, channel, terms, issuance } = ctx.accounts;
    let left = {
        let ChannelMut { mut channel, mut licences } = ChannelMut::open(channel)?;
        let licence = licences.get_mut(usize::from(index));
        let licence = licence.ok_or(PaymentsError::UnknownLicence)?;
        let own = (licence.work, licence.terms_number) == (terms.work, terms.number);
        require!(own, PaymentsError::NotTheLicencesTerms);
        channel.require_may_close(licence, &caller.key(), now)?;
        let left = licence.give_back(&terms.offer.caps)?;
        channel.quotas_held -= 1; // one for each licence that holds a quota
        left
    };
    issuance.take_back(left)?;
    emit!(QuotaReturned {
        channel: channel.key(),
        index,
        units: left.units,
        revenue: left.revenue,
    });
    Ok(())
}
