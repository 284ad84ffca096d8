//! Steps of a history.

use anchor_lang::{InstructionData, ToAccountMetas};
use licensing::WorkStatus;
use motif_sdk::pda;
use motif_tests::{
    model::{self, NEVER},
    world::World,
};
use payments::{Channel, Payee};
use rand::{Rng, rngs::StdRng, seq::IndexedRandom};
use solana_instruction::AccountMeta;
use solana_pubkey::Pubkey;

use super::{History, instruction, shares_of};
use crate::histories::stage::SYSTEM_PROGRAM;

impl History<'_> {
    /// Adds credit to a few licenses, and the tokens to the vault.
    pub(super) fn pay_in(&mut self, currency: usize) {
        let address = self.channels[currency];
        let mut account = self.stage.svm.get_account(&address).unwrap();
        let mut total: u128 = 0;
        for _ in 0..self.random.random_range(1..=4) {
            let index = self.random.random_range(0..self.works.len());
            let digits = self.random.random_range(0..=40);
            let amount: u64 = self.random.random_range(1..=1 << digits);
            let license = Channel::space(index);
            add(&mut account.data, license + offset_of_license_settled(), amount);
            let channel = self.ledger.channels.get_mut(&address).unwrap();
            channel.licenses[index].upfront += u128::from(amount);
            channel.deposited += u128::from(amount);
            total += u128::from(amount);
        }
        let header = Channel::DISCRIMINATOR.len();
        let total_bytes = total as u64; // at most 4 x 2^40
        add(&mut account.data, header + std::mem::offset_of!(Channel, deposited), total_bytes);
        add(&mut account.data, header + std::mem::offset_of!(Channel, upfront_fees), total_bytes);
        self.stage.svm.set_account(address, account).expect("any account can be set");
        let mint = self.mint(currency);
        self.ledger.bring_into_vault(&mint, total);
        let till = &self.stage.currencies[currency];
        let (currency, vault_tokens) = (till.currency, till.vault_tokens);
        let held = self.ledger.vaults[&mint];
        self.stage.set_tokens(&currency, vault_tokens, &pda::vault(&mint), held);
    }

    pub(super) fn collect(&mut self, currency: usize) {
        let licenses = &self.ledger.channels[&self.channels[currency]].licenses;
        let credited: Vec<u16> = (0..)
            .zip(licenses)
            .filter(|(_, license)| license.credit() > 0)
            .map(|(index, _)| index)
            .collect();
        let count = self.random.random_range(1..=4);
        let mut indexes = Vec::new();
        for _ in 0..count {
            let any = self.random.random_range(0..self.works.len()) as u16;
            indexes.push(self.mostly(&credited).unwrap_or(any));
        }
        self.collect_these(currency, &indexes);
    }

    pub(super) fn collect_these(&mut self, currency: usize, indexes: &[u16]) {
        let (channel, mint) = (self.channels[currency], self.mint(currency));
        let mut metas = payments::accounts::Collect { channel }.to_account_metas(None);
        let works: Vec<_> = indexes.iter().map(|index| self.works[usize::from(*index)].0).collect();
        metas.extend(
            works.iter().map(|work| AccountMeta::new(self.earnings[&(*work, mint)], false)),
        );
        let data = payments::instruction::Collect { licenses: indexes.to_vec() }.data();
        let collected = self.send(instruction(metas, data));
        let expected = self.ledger.collect(channel, indexes);
        self.compare("collect", collected, expected);
        for work in works {
            self.check_book(work, mint);
        }
    }

    pub(super) fn pull(&mut self, currency: usize) {
        let mint = self.mint(currency);
        let mut due = Vec::new();
        for (work, account) in &self.works {
            let book = &self.ledger.books[&(*work, mint)];
            let parents = account.parents.iter().zip(&book.parents);
            due.extend(
                parents.filter(|(_, parent)| book.due(parent) > 0).map(|(p, _)| (*work, p.work)),
            );
        }
        let any = |random: &mut StdRng| self.works[random.random_range(0..self.works.len())].0;
        let others = (any(&mut self.random), any(&mut self.random));
        let (child, parent) = self.mostly(&due).unwrap_or(others);
        if child != parent {
            self.pull_this(currency, child, parent);
        }
    }

    pub(super) fn pull_this(&mut self, currency: usize, child: Pubkey, parent: Pubkey) {
        let mint = self.mint(currency);
        let accounts = payments::accounts::Pull {
            work: child,
            child: self.earnings[&(child, mint)],
            parent: self.earnings[&(parent, mint)],
        };
        let data = payments::instruction::Pull {}.data();
        let pulled = self.send(instruction(accounts.to_account_metas(None), data));
        let expected = self.ledger.pull(child, parent, mint);
        self.compare("pull", pulled, expected.map(drop));
        self.check_book(child, mint);
        self.check_book(parent, mint);
    }

    pub(super) fn claim(&mut self, currency: usize) {
        let mint = self.mint(currency);
        let works: Vec<_> = self.works.iter().map(|(work, _)| *work).collect();
        let earning = works.iter().filter(|work| self.ledger.books[&(**work, mint)].left() > 0);
        let earning: Vec<_> = earning.copied().collect();
        let any = *works.choose(&mut self.random).unwrap();
        let work = self.mostly(&earning).unwrap_or(any);
        let book = &self.ledger.books[&(work, mint)];
        let present: Vec<_> = book.people.keys().copied().collect();
        let count = self.random.random_range(1..=5);
        let mut payees = Vec::new();
        for _ in 0..count {
            let from = if self.random.random_ratio(5, 6) { &present } else { &self.people };
            payees.push(*from.choose(&mut self.random).unwrap());
        }
        self.claim_these(currency, work, &payees);
    }

    pub(super) fn claim_these(&mut self, currency: usize, work: Pubkey, payees: &[Pubkey]) {
        let mint = self.mint(currency);
        let till = &self.stage.currencies[currency];
        let accounts = payments::accounts::Claim {
            earnings: self.earnings[&(work, mint)],
            work,
            vault: pda::vault(&mint),
            vault_tokens: till.vault_tokens,
            mint,
            token_program: till.currency.token_program,
            recipient: None,
        };
        let mut metas = accounts.to_account_metas(None);
        let mut list = Vec::new();
        for payee in payees {
            let (purse, bump) = till.purses[payee];
            metas.push(AccountMeta::new(purse, false));
            let position = self.random.random_range(0..40); // a hint, right or wrong
            list.push(Payee { position, bump });
        }
        let data = payments::instruction::Claim { payees: list }.data();
        let claimed = self.send(instruction(metas, data));
        let expected = self.ledger.claim(work, mint, payees);
        if let Ok(paid) = &expected {
            self.counts.units_paid += paid.iter().sum::<u128>();
        }
        self.compare("claim", claimed, expected.map(drop));
        self.check_book(work, mint);
        for payee in payees {
            let purse = self.stage.currencies[currency].purses[payee].0;
            let held = self.stage.tokens(&purse);
            assert_eq!(held, self.ledger.balance(payee, &mint), "{}: {payee}", self.place());
        }
    }

    /// Replaces a work's split.
    pub(super) fn change_split(&mut self) {
        let number = self.random.random_range(0..self.works.len());
        if self.works[number].1.status == WorkStatus::Disputed {
            return;
        }
        let split = if self.random.random_ratio(1, 3) {
            // The same people with other shares.
            let people: Vec<_> =
                self.works[number].1.split.iter().map(|share| share.recipient).collect();
            let shares = self.shares(people.len(), 10_000);
            people.into_iter().zip(shares).collect()
        } else {
            self.split()
        };
        self.counts.changes_of_split += 1;
        let (address, work) = &mut self.works[number];
        work.split = shares_of(&split);
        work.split_version += 1;
        let model = self.ledger.works.get_mut(address).unwrap();
        model.split = split;
        model.split_version += 1;
        self.write_work(number);
    }

    pub(super) fn apply_split(&mut self, currency: usize) {
        let mint = self.mint(currency);
        let behind: Vec<_> = (0..self.works.len())
            .filter(|&number| {
                let (work, account) = &self.works[number];
                self.ledger.books[&(*work, mint)].split_version != account.split_version
            })
            .collect();
        let any = self.random.random_range(0..self.works.len());
        let number = self.mostly(&behind).unwrap_or(any);
        self.apply_split_of(currency, number);
    }

    pub(super) fn apply_dispute(&mut self, currency: usize) {
        let mint = self.mint(currency);
        let disputed: Vec<_> = (0..self.works.len())
            .filter(|&number| self.works[number].1.status == WorkStatus::Disputed)
            .collect();
        let any = self.random.random_range(0..self.works.len());
        let number = self.mostly(&disputed).unwrap_or(any);
        let work = self.works[number].0;
        let accounts =
            payments::accounts::ApplyDispute { work, earnings: self.earnings[&(work, mint)] };
        let data = payments::instruction::ApplyDispute {}.data();
        let applied = self.send(instruction(accounts.to_account_metas(None), data));
        let expected = self.ledger.apply_dispute(work, mint);
        self.compare("apply_dispute", applied, expected);
        self.check_book(work, mint);
    }

    pub(super) fn apply_split_of(&mut self, currency: usize, number: usize) {
        let (work, mint) = (self.works[number].0, self.mint(currency));
        let accounts = payments::accounts::ApplySplit {
            funder: self.stage.host.key(),
            work,
            earnings: self.earnings[&(work, mint)],
            system_program: SYSTEM_PROGRAM,
        };
        let data = payments::instruction::ApplySplit {}.data();
        let applied = self.send(instruction(accounts.to_account_metas(None), data));
        let after_verdict = self.ledger.works[&work].verdict_version
            > self.ledger.books[&(work, mint)].split_version;
        let expected = self.ledger.apply_split(work, mint);
        if after_verdict && expected.is_ok() {
            self.entitled.retain(|(of, in_mint, _), _| (*of, *in_mint) != (work, mint));
        }
        self.compare("apply_split", applied, expected);
        self.check_book(work, mint);
    }

    /// Opens a dispute, or decides it.
    pub(super) fn dispute(&mut self) {
        let any = self.random.random_range(0..self.works.len());
        let disputed: Vec<_> = (0..self.works.len())
            .filter(|&number| self.works[number].1.status == WorkStatus::Disputed)
            .collect();
        let chosen = disputed.choose(&mut self.random).copied();
        let number = chosen.filter(|_| self.random.random_bool(0.6)).unwrap_or(any);
        // The program refuses a dispute of the owner, and an owner cannot change during one.
        let owner = self.works[number].1.owner;
        let others: Vec<_> =
            self.people.iter().copied().filter(|person| *person != owner).collect();
        let Some(claimant) = others.choose(&mut self.random).copied() else { return };
        let ends = self.works[number].1.status == WorkStatus::Disputed;
        let (address, work) = &mut self.works[number];
        let model = self.ledger.works.get_mut(address).unwrap();
        if !ends {
            work.status = WorkStatus::Disputed;
            work.disputes += 1;
            model.disputes += 1;
            let opened_at = World::NOW;
            model.dispute = Some(model::Dispute { claimant, bond: 0, opened_at, deadline: NEVER });
            self.write_work(number);
            return;
        }
        work.status = WorkStatus::Active;
        let claimant = model.dispute.take().map(|dispute| dispute.claimant).unwrap();
        if self.random.random_bool(0.5) {
            self.counts.verdicts += 1;
            let kept_parents = std::array::from_fn(|_| self.random.random_ratio(3, 4));
            let keeps_recipients = self.random.random_ratio(1, 3);
            model.award_to(claimant, model::Awarded { kept_parents, keeps_recipients });
            work.owner = claimant;
            work.split = shares_of(&model.split);
            work.split_version = model.split_version;
            work.verdict_version = model.verdict_version;
            work.verdict_dispute = model.verdict_dispute;
            work.verdict_keeps_recipients = keeps_recipients;
            for (parent, (_, share_bps)) in work.parents.iter_mut().zip(&model.parents) {
                parent.share_bps = *share_bps;
            }
        }
        self.write_work(number);
    }
}

fn offset_of_license_settled() -> usize {
    std::mem::offset_of!(payments::License, settled)
}

fn add(data: &mut [u8], offset: usize, amount: u64) {
    let bytes = &mut data[offset..offset + 8];
    let total = u64::from_le_bytes(bytes.try_into().unwrap()) + amount;
    bytes.copy_from_slice(&total.to_le_bytes());
}
