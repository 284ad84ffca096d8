use motif_sdk::{
    channel::{self, AcceptTermsArgs, Acceptance, Cosigners, Currency, OpenChannelArgs, Quota},
    pda,
};
use solana_pubkey::Pubkey;

use super::{Call, Outcome, Person, PublishedTerms, RegisteredWork, World};

/// Channel on chain with its keys.
#[derive(Clone, Debug)]
pub struct OpenedChannel {
    /// Address of the account.
    pub address: Pubkey,
    /// Payer.
    pub payer: Person,
    /// Operator.
    pub operator: Person,
    /// Voucher key.
    pub voucher_key: Person,
    /// Currency.
    pub currency: Currency,
    /// Grace period in seconds.
    pub grace_seconds: i64,
}

/// Builder of a channel. Default: 1,000,000 deposited, a fee of 100 basis points, a grace period
/// of a day.
pub struct ChannelBuilder<'w> {
    world: &'w mut World,
    payer: Person,
    operator: Person,
    voucher_key: Person,
    currency: Currency,
    args: OpenChannelArgs,
    funds: Option<u64>,
}

impl<'w> ChannelBuilder<'w> {
    pub(super) fn new(world: &'w mut World) -> Self {
        let (payer, operator) = (world.person(), world.person());
        let voucher_key = world.person();
        Self {
            args: OpenChannelArgs {
                salt: 0,
                voucher_key: voucher_key.key(),
                operator_fee_bps: 100,
                grace_seconds: 86_400,
                deposit: 1_000_000,
                watcher: None,
            },
            currency: world.currency,
            world,
            payer,
            operator,
            voucher_key,
            funds: None,
        }
    }

    /// Sets the deposit, base units.
    pub fn deposited(mut self, deposit: u64) -> Self {
        self.args.deposit = deposit;
        self
    }

    /// Sets the operator's fee, basis points.
    pub fn fee(mut self, operator_fee_bps: u16) -> Self {
        self.args.operator_fee_bps = operator_fee_bps;
        self
    }

    /// Sets the grace period, seconds.
    pub fn grace(mut self, seconds: u32) -> Self {
        self.args.grace_seconds = seconds;
        self
    }

    /// Sets the payer.
    pub fn payer(mut self, payer: &Person) -> Self {
        self.payer = payer.clone();
        self
    }

    /// Sets the operator.
    pub fn operator(mut self, operator: &Person) -> Self {
        self.operator = operator.clone();
        self
    }

    /// Sets the voucher key.
    pub fn voucher_key(mut self, person: &Person) -> Self {
        self.voucher_key = person.clone();
        self.args.voucher_key = person.key();
        self
    }

    /// Sets the watcher.
    pub fn watched_by(mut self, person: &Person) -> Self {
        self.args.watcher = Some(person.key());
        self
    }

    /// Sets the currency.
    pub fn currency(mut self, currency: &Currency) -> Self {
        self.currency = *currency;
        self
    }

    /// Sets the payer's balance, base units.
    pub fn out_of(mut self, funds: u64) -> Self {
        self.funds = Some(funds);
        self
    }

    /// Changes the arguments.
    pub fn with(mut self, change: impl FnOnce(&mut OpenChannelArgs)) -> Self {
        change(&mut self.args);
        self
    }

    /// Funds the payer; returns the call that opens the channel, and the channel.
    pub fn call(self) -> (Call, OpenedChannel) {
        let (_, call, opened) = self.prepare();
        (call, opened)
    }

    /// Sends the call and returns its outcome.
    #[track_caller]
    pub fn attempt(self) -> Outcome {
        let (world, call, _) = self.prepare();
        world.send(call)
    }

    /// Opens the channel.
    #[track_caller]
    pub fn open(self) -> OpenedChannel {
        let (world, call, opened) = self.prepare();
        world.send(call).assert_ok();
        opened
    }

    fn prepare(self) -> (&'w mut World, Call, OpenedChannel) {
        let Self { world, payer, operator, voucher_key, currency, args, funds } = self;
        world.fund(&payer, &currency, funds.unwrap_or(args.deposit));
        world.register_operator(&operator);
        let open = channel::open(&payer.key(), &operator.key(), &currency, args);
        let call = Call::new([open], &[&payer]);
        let address = pda::channel(&payer.key(), &operator.key(), &currency.mint, args.salt);
        let grace_seconds = i64::from(args.grace_seconds);
        let opened =
            OpenedChannel { address, payer, operator, voucher_key, currency, grace_seconds };
        (world, call, opened)
    }
}

/// Builder of an acceptance. Default: the terms' first use at its price.
#[derive(Clone, Debug)]
pub struct Accepting {
    payer: Person,
    channel: Pubkey,
    approver: Option<Person>,
    /// Accounts.
    pub acceptance: Acceptance,
    /// Arguments.
    pub args: AcceptTermsArgs,
}

impl Accepting {
    /// Uses an approval that the owner granted.
    pub fn granted(mut self) -> Self {
        self.acceptance.approval = true;
        self
    }

    /// Sets the owner that signs the approval.
    pub fn approved_by(mut self, person: &Person) -> Self {
        self.acceptance.approver = Some(person.key());
        self.approver = Some(person.clone());
        self
    }

    /// Sets the quota of shared caps.
    pub fn quota(mut self, units: u64, revenue: u64) -> Self {
        self.args.quota = Quota { units, revenue };
        self
    }

    /// Changes the arguments.
    pub fn with(mut self, change: impl FnOnce(&mut AcceptTermsArgs)) -> Self {
        change(&mut self.args);
        self
    }

    /// Returns the call.
    pub fn call(&self) -> Call {
        let accept =
            channel::accept_terms(&self.payer.key(), &self.channel, &self.acceptance, self.args);
        let signers: Vec<_> = [&self.payer].into_iter().chain(&self.approver).collect();
        Call::new([accept], &signers)
    }
}

impl OpenedChannel {
    /// Creates an acceptance of terms.
    pub fn accepting(&self, terms: &PublishedTerms) -> Accepting {
        Accepting {
            payer: self.payer.clone(),
            channel: self.address,
            approver: None,
            acceptance: Acceptance {
                work: terms.work,
                terms_number: terms.number,
                approver: None,
                approval: false,
                per_licensee: terms.per_licensee,
                shared_caps: terms.shared_caps,
                deposit_currency: terms.deposit_currency,
            },
            args: AcceptTermsArgs {
                licensed_use: terms.licensed_use,
                max_price: terms.price,
                terms_digest: terms.digest,
                quota: Quota::default(),
                min_expires_at: i64::MIN,
            },
        }
    }

    /// Returns the call that adds to the deposit.
    pub fn topping_up(&self, amount: u64) -> Call {
        let top_up = channel::top_up(&self.payer.key(), &self.address, &self.currency, amount);
        Call::new([top_up], &[&self.payer])
    }

    /// Returns the call that moves licenses' credit into their works' earnings. The host signs.
    pub fn collecting(&self, licenses: &[(u16, &RegisteredWork)]) -> Call {
        let licenses: Vec<_> =
            licenses.iter().map(|(index, work)| (*index, work.address)).collect();
        Call::new([channel::collect(&self.address, &self.currency.mint, &licenses)], &[])
    }

    /// Returns the call that pays the operator's fees. The host signs.
    pub fn claiming_fees(&self) -> Call {
        let claim = channel::claim_fees(
            &self.address,
            &self.operator.key(),
            &self.operator.key(),
            &self.currency,
        );
        Call::new([claim], &[])
    }

    /// Returns a person's request to close the channel.
    pub fn closing_by(&self, caller: &Person) -> Call {
        let none = Cosigners::default();
        Call::new([channel::request_close(&caller.key(), &none, &self.address)], &[caller])
    }

    /// Closes at once, by both parties.
    pub fn closing_at_once(&self) -> Call {
        let cosigners = Cosigners { party: Some(self.payer.key()), watcher: None };
        let close = channel::request_close(&self.operator.key(), &cosigners, &self.address);
        Call::new([close], &[&self.operator, &self.payer])
    }

    /// Closes at once, by both parties and the watcher.
    pub fn closing_at_once_with(&self, watcher: &Person) -> Call {
        let cosigners = Cosigners { party: Some(self.payer.key()), watcher: Some(watcher.key()) };
        let close = channel::request_close(&self.operator.key(), &cosigners, &self.address);
        Call::new([close], &[&self.operator, &self.payer, watcher])
    }

    /// Returns a person's call that releases the quota of a license of these terms.
    pub fn releasing_quota(&self, caller: &Person, index: u16, terms: &PublishedTerms) -> Call {
        let (work, number) = (&terms.work, terms.number);
        let release =
            channel::release_quota(&caller.key(), None, &self.address, index, work, number);
        Call::new([release], &[caller])
    }

    /// Gives back what a license of these terms has left of shared caps, by both parties.
    pub fn releasing_quota_together(&self, index: u16, terms: &PublishedTerms) -> Call {
        let (work, number) = (&terms.work, terms.number);
        let (caller, party) = (self.operator.key(), Some(self.payer.key()));
        let release = channel::release_quota(&caller, party, &self.address, index, work, number);
        Call::new([release], &[&self.operator, &self.payer])
    }

    /// Returns the call that replaces the voucher key after the grace period.
    pub fn rotating(&self, new_key: &Person) -> Call {
        let (payer, none) = (self.payer.key(), Cosigners::default());
        let rotate = channel::rotate_voucher_key(&payer, &none, &self.address, new_key.key());
        Call::new([rotate], &[&self.payer])
    }

    /// Returns the call that replaces the voucher key at once, signed by the operator.
    pub fn rotating_at_once(&self, new_key: &Person) -> Call {
        let agreed = Cosigners { party: Some(self.operator.key()), watcher: None };
        let payer = self.payer.key();
        let rotate = channel::rotate_voucher_key(&payer, &agreed, &self.address, new_key.key());
        Call::new([rotate], &[&self.payer, &self.operator])
    }

    /// Returns the call that ends licenses of withdrawn works after their notice.
    pub fn applying_withdrawal(&self, licenses: &[(u16, &RegisteredWork)]) -> Call {
        let licenses: Vec<_> =
            licenses.iter().map(|(index, work)| (*index, work.address)).collect();
        Call::new([channel::apply_withdrawal(&self.address, &licenses)], &[])
    }

    /// Returns the call that removes the channel's account. [`World::remove`] sends it.
    pub fn removing(&self) -> Call {
        Call::new([channel::close(&self.payer.key(), &self.address)], &[&self.payer])
    }

    /// Returns the call that refunds the payer.
    pub fn withdrawing(&self) -> Call {
        let withdraw = channel::withdraw(&self.payer.key(), &self.address, &self.currency);
        Call::new([withdraw], &[&self.payer])
    }
}
