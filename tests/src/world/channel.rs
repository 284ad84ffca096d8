use motif_sdk::{
    channel::{self, AcceptTermsArgs, Acceptance, Currency, OpenChannelArgs, Quota},
    pda,
};
use solana_pubkey::Pubkey;

use super::{Call, Outcome, Person, PublishedTerms, RegisteredWork, World};

/// A channel on chain, and who may do what with it.
#[derive(Clone, Debug)]
pub struct OpenedChannel {
    /// Its account.
    pub address: Pubkey,
    /// Funds it.
    pub payer: Person,
    /// Settles on it.
    pub operator: Person,
    /// Signs its vouchers.
    pub voucher_key: Person,
    /// What it pays in.
    pub currency: Currency,
    /// Seconds from closing by the payer to the last settlement.
    pub grace_seconds: i64,
}

/// A channel about to be opened: by default 1,000,000 deposited, 100 basis points for the
/// operator, a day of grace.
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
            },
            currency: world.currency,
            world,
            payer,
            operator,
            voucher_key,
            funds: None,
        }
    }

    /// Deposits this many base units.
    pub fn deposited(mut self, deposit: u64) -> Self {
        self.args.deposit = deposit;
        self
    }

    /// Basis points for the operator.
    pub fn fee(mut self, operator_fee_bps: u16) -> Self {
        self.args.operator_fee_bps = operator_fee_bps;
        self
    }

    /// Seconds from closing to the last settlement.
    pub fn grace(mut self, seconds: u32) -> Self {
        self.args.grace_seconds = seconds;
        self
    }

    /// Funded by this person.
    pub fn payer(mut self, payer: &Person) -> Self {
        self.payer = payer.clone();
        self
    }

    /// Operated by this person.
    pub fn operator(mut self, operator: &Person) -> Self {
        self.operator = operator.clone();
        self
    }

    /// Vouchers signed by this person.
    pub fn voucher_key(mut self, person: &Person) -> Self {
        self.voucher_key = person.clone();
        self.args.voucher_key = person.key();
        self
    }

    /// In another currency.
    pub fn currency(mut self, currency: &Currency) -> Self {
        self.currency = *currency;
        self
    }

    /// The payer has only this many base units.
    pub fn out_of(mut self, funds: u64) -> Self {
        self.funds = Some(funds);
        self
    }

    /// With anything else changed.
    pub fn with(mut self, change: impl FnOnce(&mut OpenChannelArgs)) -> Self {
        change(&mut self.args);
        self
    }

    /// Gives the payer what it deposits; returns the call that opens the channel, and what it
    /// opens.
    pub fn call(self) -> (Call, OpenedChannel) {
        let (_, call, opened) = self.prepare();
        (call, opened)
    }

    /// Sends it; a test says what should become of it.
    #[track_caller]
    pub fn attempt(self) -> Outcome {
        let (world, call, _) = self.prepare();
        world.send(call)
    }

    /// Opens it.
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

/// An acceptance about to be made: by default of the terms' first use at their price.
#[derive(Clone, Debug)]
pub struct Accepting {
    payer: Person,
    channel: Pubkey,
    approver: Option<Person>,
    /// Which terms, and what else is named.
    pub acceptance: Acceptance,
    /// What the payer agrees to.
    pub args: AcceptTermsArgs,
}

impl Accepting {
    /// As the owner has granted before.
    pub fn granted(mut self) -> Self {
        self.acceptance.approval = true;
        self
    }

    /// Approved by this person, who signs.
    pub fn approved_by(mut self, person: &Person) -> Self {
        self.acceptance.approver = Some(person.key());
        self.approver = Some(person.clone());
        self
    }

    /// Asks for so much of shared caps.
    pub fn quota(mut self, units: u64, revenue: u64) -> Self {
        self.args.quota = Quota { units, revenue };
        self
    }

    /// With anything else changed.
    pub fn with(mut self, change: impl FnOnce(&mut AcceptTermsArgs)) -> Self {
        change(&mut self.args);
        self
    }

    /// The call that accepts.
    pub fn call(&self) -> Call {
        let accept =
            channel::accept_terms(&self.payer.key(), &self.channel, &self.acceptance, self.args);
        let signers: Vec<_> = [&self.payer].into_iter().chain(&self.approver).collect();
        Call::new([accept], &signers)
    }
}

impl OpenedChannel {
    /// Begins to take terms onto the channel.
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
                fee_currency: terms.fee_currency,
            },
            args: AcceptTermsArgs {
                licensed_use: terms.licensed_use,
                max_price: terms.price,
                terms_digest: terms.digest,
                quota: Quota::default(),
            },
        }
    }

    /// Adds to the deposit.
    pub fn topping_up(&self, amount: u64) -> Call {
        let top_up = channel::top_up(&self.payer.key(), &self.address, &self.currency, amount);
        Call::new([top_up], &[&self.payer])
    }

    /// Moves licenses' credit into their works' earnings. The host signs.
    pub fn collecting(&self, licenses: &[(u16, &RegisteredWork)]) -> Call {
        let licenses: Vec<_> =
            licenses.iter().map(|(index, work)| (*index, work.address)).collect();
        Call::new([channel::collect(&self.address, &self.currency.mint, &licenses)], &[])
    }

    /// Pays the operator its fees. The host signs.
    pub fn claiming_fees(&self) -> Call {
        let claim = channel::claim_fees(
            &self.address,
            &self.operator.key(),
            &self.operator.key(),
            &self.currency,
        );
        Call::new([claim], &[])
    }

    /// Starts closing, by this person.
    pub fn closing_by(&self, caller: &Person) -> Call {
        Call::new([channel::request_close(&caller.key(), &self.address)], &[caller])
    }

    /// Gives back what a license of these terms has left of shared caps, by this person.
    pub fn releasing_quota(&self, caller: &Person, index: u16, terms: &PublishedTerms) -> Call {
        let (work, number) = (&terms.work, terms.number);
        let close = channel::release_quota(&caller.key(), &self.address, index, work, number);
        Call::new([close], &[caller])
    }

    /// Puts another voucher key in place, after the grace period.
    pub fn rotating(&self, new_key: &Person) -> Call {
        let payer = self.payer.key();
        let rotate = channel::rotate_voucher_key(&payer, None, &self.address, new_key.key());
        Call::new([rotate], &[&self.payer])
    }

    /// Puts another voucher key in place at once: the operator agrees.
    pub fn rotating_at_once(&self, new_key: &Person) -> Call {
        let (payer, operator) = (self.payer.key(), Some(self.operator.key()));
        let rotate = channel::rotate_voucher_key(&payer, operator, &self.address, new_key.key());
        Call::new([rotate], &[&self.payer, &self.operator])
    }

    /// Ends licenses of withdrawn works when their notice is over.
    pub fn applying_withdrawal(&self, licenses: &[(u16, &RegisteredWork)]) -> Call {
        let licenses: Vec<_> =
            licenses.iter().map(|(index, work)| (*index, work.address)).collect();
        Call::new([channel::apply_withdrawal(&self.address, &licenses)], &[])
    }

    /// Removes the channel's account. [`World::remove`] sends it.
    pub fn removing(&self) -> Call {
        Call::new([channel::close(&self.payer.key(), &self.address)], &[&self.payer])
    }

    /// Gives the payer back what was never charged.
    pub fn withdrawing(&self) -> Call {
        let withdraw = channel::withdraw(&self.payer.key(), &self.address, &self.currency);
        Call::new([withdraw], &[&self.payer])
    }
}
