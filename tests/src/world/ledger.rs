//! Checks of the ledger's promises over all accounts.

use std::collections::BTreeMap;

use anchor_lang::AccountDeserialize;
use motif_sdk::{
    channel::{ChannelAccount, Currency, Vault},
    earnings::{Earnings, EarningsAccount},
    till::Till,
};
use payments::Channel;
use solana_pubkey::Pubkey;

use super::World;

/// Sums of one currency, base units. `u128`, so that they cannot overflow.
#[derive(Clone, Copy, Debug, Default)]
struct Books {
    deposited: u128,
    refunded: u128,
    fees_paid: u128,
    collected: u128,
    swept: u128,
    earned: u128,
    pulled: u128,
    claimed: u128,
    /// Amount that channels and earnings can still pay out, summed over accounts.
    still_owed: u128,
}

impl World {
    /// Checks the promises on every account of the payments program:
    ///
    /// - a channel has `deposited >= charged + refunded` and `charged >= collected + fees`, and
    ///   its licenses add up to its totals;
    /// - no party has taken more than its share of a work's earnings, and all shares together
    ///   are at most the earnings;
    /// - a vault's tokens are exactly deposited + swept - refunded - fees paid - claimed, and
    ///   exactly the amount that channels and earnings can still pay out;
    /// - works' earnings are exactly the amounts collected, pulled and swept.
    ///
    /// After a channel was removed, flows cannot be summed, but the vault still holds exactly the
    /// amount that can be paid out.
    #[track_caller]
    pub fn check_promises(&self) {
        if self.operated.get() {
            return;
        }
        let mut books: BTreeMap<Pubkey, Books> = BTreeMap::new();
        let mut vaults = Vec::new();
        for (address, account) in self.svm.get_program_accounts(&payments::ID) {
            let data = &account.data;
            if data.starts_with(Channel::DISCRIMINATOR) {
                let channel = ChannelAccount::from_bytes(data).expect("a channel");
                check_channel(&address, &channel, &mut books);
            } else if data.starts_with(Earnings::DISCRIMINATOR) {
                let earnings = EarningsAccount::from_bytes(data).expect("earnings");
                check_earnings(&address, &earnings, &mut books);
            } else if data.starts_with(Till::DISCRIMINATOR) {
                let till = Till::try_deserialize(&mut &data[..]).expect("a till");
                books.entry(till.mint).or_default().swept +=
                    till.works_paid.iter().copied().map(u128::from).sum::<u128>();
            } else if data.starts_with(Vault::DISCRIMINATOR) {
                vaults.push(Vault::try_deserialize(&mut &data[..]).expect("a vault"));
            }
        }
        for vault in vaults {
            let books = books.get(&vault.mint).copied().unwrap_or_default();
            let currency = Currency { mint: vault.mint, token_program: vault.token_program };
            let balance = self.balance_of(&self.vault_tokens(&currency));
            let gifts = self.gifts.get(&vault.mint).copied().unwrap_or(0);
            let held = u128::from(balance) - u128::from(gifts);
            if !self.forgotten.get() {
                let paid_out = books.refunded + books.fees_paid + books.claimed;
                let paid_in = books.deposited + books.swept;
                assert_eq!(held, paid_in - paid_out, "the vault's flows: {books:?}");
            }
            assert_eq!(held, books.still_owed, "what the vault owes: {books:?}");
            if !self.forgotten.get() {
                let credited = books.collected + books.pulled + books.swept;
                assert_eq!(books.earned, credited, "{books:?}");
            }
        }
    }
}

fn check_channel(address: &Pubkey, account: &ChannelAccount, books: &mut BTreeMap<Pubkey, Books>) {
    let channel = &account.channel;
    let wide = u128::from;
    let fees = wide(channel.prices) * wide(u64::from(channel.operator_fee_bps)) / 10_000;
    let charged = wide(channel.upfront_fees) + wide(channel.prices) + fees;
    let (deposited, refunded) = (wide(channel.deposited), wide(channel.refunded));
    let taken = wide(channel.collected) + wide(channel.fees_claimed);
    assert!(deposited >= charged + refunded, "{address} charged more than was deposited");
    assert!(charged >= taken, "{address} paid more than was charged");
    assert!(fees >= wide(channel.fees_claimed), "{address} paid more fees than it charged");

    let credit: u128 = account.licenses.iter().map(|license| wide(license.settled)).sum();
    assert_eq!(credit, wide(channel.upfront_fees) + wide(channel.prices), "{address} credit");
    let collected: u128 = account.licenses.iter().map(|license| wide(license.collected)).sum();
    assert_eq!(collected, wide(channel.collected), "{address} collected");
    for license in &account.licenses {
        assert!(license.settled >= license.collected, "{address} collected too much");
    }

    let books = books.entry(channel.mint).or_default();
    books.deposited += deposited;
    books.refunded += refunded;
    books.fees_paid += wide(channel.fees_claimed);
    books.collected += wide(channel.collected);
    books.still_owed += deposited - refunded - taken;
}

fn check_earnings(
    address: &Pubkey,
    account: &EarningsAccount,
    books: &mut BTreeMap<Pubkey, Books>,
) {
    let wide = u128::from;
    let header = &account.earnings;
    let earned = wide(header.earned);
    let parents_bps: u128 = account.parents.iter().map(|part| u128::from(part.share_bps)).sum();
    assert_eq!(u128::from(header.own_bps), 10_000 - parents_bps, "{address}: the own part");
    let (mut entitled, mut taken_by_parents, mut claimed) = (0, 0, 0);
    let later = earned - wide(header.earned_before);
    for part in &account.parents {
        let share = wide(part.entitled_before) + later * u128::from(part.share_bps) / 10_000;
        assert!(wide(part.taken) <= share, "{address}: {part:?} took more than its share");
        entitled += share;
        taken_by_parents += wide(part.taken);
    }
    let own = wide(header.own_start) + later * u128::from(header.own_bps) / 10_000;
    let since = own - wide(header.own_before);
    // Amounts taken by former recipients that were removed; they stay in `own_before`.
    let listed: u128 = account.recipients.iter().map(|part| wide(part.entitled_before)).sum();
    let dropped = wide(header.own_before) - listed;
    for part in &account.recipients {
        let share = wide(part.entitled_before) + since * u128::from(part.share_bps) / 10_000;
        assert!(wide(part.taken) <= share, "{address}: {part:?} took more than its share");
        entitled += share;
        claimed += wide(part.taken);
    }
    entitled += dropped;
    claimed += dropped;
    let present = account.recipients.iter().filter(|part| part.share_bps > 0);
    let parties = account.parents.len() + present.count();
    assert!(entitled <= earned, "{address} owes more than it earned");
    assert!(earned - entitled < parties as u128, "{address} keeps more than dust");

    let books = books.entry(header.mint).or_default();
    books.earned += earned;
    books.pulled += taken_by_parents;
    books.claimed += claimed;
    books.still_owed += earned - taken_by_parents - claimed;
}

#[cfg(test)]
mod tests {
    use std::mem::offset_of;

    use super::*;

    /// Returns a world with 250 settled and collected.
    fn collected() -> World {
        let mut world = World::new();
        let channel = world.channel().fee(0).open();
        let (work, license) = world.licensed(&channel, 10);
        world.settle(&channel, &[(license, 25)]).assert_ok();
        world.open_earnings(&work);
        world.collect(&channel, &[(license, &work)]).assert_ok();
        world
    }

    /// Writes a field of the first account of a type; `offset` is the field's in the struct.
    fn rewrite(world: &mut World, discriminator: &[u8], offset: usize, value: u64) {
        let accounts = world.svm.get_program_accounts(&payments::ID);
        let of_this_type =
            |account: &solana_account::Account| account.data.starts_with(discriminator);
        let found = accounts.into_iter().find(|(_, account)| of_this_type(account));
        let (address, mut account) = found.expect("an account of this type");
        let at = discriminator.len() + offset;
        account.data[at..at + 8].copy_from_slice(&value.to_le_bytes());
        world.set(address, account);
    }

    #[test]
    fn balanced_world_passes() {
        collected().check_promises();
    }

    #[test]
    #[should_panic(expected = "the vault's flows")]
    fn missing_vault_token_is_detected() {
        let mut world = collected();
        world.gift_to_vault(1);
        world.gifts.insert(world.currency.mint, 2);
        world.check_promises();
    }

    #[test]
    #[should_panic(expected = "charged more than was deposited")]
    fn overdrawn_deposit_is_detected() {
        let mut world = collected();
        rewrite(&mut world, Channel::DISCRIMINATOR, offset_of!(Channel, deposited), 249);
        world.check_promises();
    }

    #[test]
    #[should_panic(expected = "collected")]
    fn unearned_credit_is_detected() {
        let mut world = collected();
        rewrite(&mut world, Channel::DISCRIMINATOR, offset_of!(Channel, collected), 249);
        world.check_promises();
    }

    #[test]
    #[should_panic(expected = "what the vault owes")]
    fn unpaid_earnings_are_detected() {
        let mut world = collected();
        rewrite(&mut world, Earnings::DISCRIMINATOR, offset_of!(Earnings, earned), 251);
        world.check_promises();
    }
}
