use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard},
};

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use motif_paywall::{
    AmountDue, AnswerEvent, AnswerId, AnswerKey, Caller, ChannelLicense, EngineError, EngineResult,
    PartKeeper, PaymentEngine, ReleaseListener, Seller,
};
use motif_sdk::{
    Pubkey,
    channel::Channel,
    gateway::{
        IdempotencyKey, PayerAction, ProblemType, hold_id,
        wire::{
            Address, Amount, Digest, Due, ExpectedStatement, GenerationRequest, HoldFacts,
            HoldRequest, HoldState, PayerProof, Problem, Quote, Unit, Use,
        },
    },
    receipt::{Receipt, SignedReceipt},
};

pub const CHANNEL: Pubkey = Pubkey::new_from_array([2; 32]);
pub const WORK: Pubkey = Pubkey::new_from_array([7; 32]);
pub const API_KEY: &str = "a-valid-key";
/// Price of a unit, base units.
pub const PRICE: u64 = 10;
pub const NOW: i64 = 1_800_000_000;
pub const OPENED_SLOT: u64 = 5;

/// One channel: holds, payments and events.
#[derive(Clone, Default)]
pub struct Engine(Arc<Mutex<State>>);

#[derive(Default)]
pub struct State {
    pub holds: HashMap<AnswerId, HoldFacts>,
    pub paid: HashMap<AnswerId, SignedReceipt>,
    /// Total of the channel, base units.
    pub owed: u64,
    pub events: Vec<AnswerEvent>,
    /// API key of each payment.
    pub payers: Vec<Option<String>>,
    /// Whether another process serves the channel.
    pub is_moved: bool,
    pub is_key_required: bool,
    /// Whether the chain is unreachable.
    pub is_offline: bool,
    /// Seconds since [`NOW`].
    pub later: i64,
    listeners: Vec<Arc<dyn Fn(AnswerId) + Send + Sync>>,
    keeper: Option<Arc<dyn Fn(AnswerId) -> bool + Send + Sync>>,
}

struct KnownCaller {
    engine: Engine,
    api_key: Option<String>,
}

#[derive(Debug)]
pub struct Rejection(pub ProblemType);

impl Engine {
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// Returns whether the paywall has this part of a stream ready for payment.
    pub fn is_payable(&self, part: AnswerId) -> bool {
        let keeper = self.state().keeper.clone().unwrap();
        keeper(part)
    }

    /// Takes payment of `PRICE` for a ready answer, without the paywall's knowledge.
    pub fn pay_elsewhere(&self, due: &Due) {
        let mut state = self.state();
        state.owed += PRICE;
        let receipt = SignedReceipt::unsigned(Receipt {
            channel: CHANNEL,
            opened_slot: OPENED_SLOT,
            statement: 0,
            position: state.paid.len() as u32,
            license: due.license,
            units: due.units,
            terms_number: 1,
            amount: PRICE,
            cumulative: state.owed,
            work: WORK,
            request_digest: due.request_digest.0,
            output_digest: due.output_digest.0,
            issued_at: NOW,
        });
        state.paid.insert(due.answer.0, receipt);
    }

    fn served(&self) -> EngineResult<MutexGuard<'_, State>> {
        let state = self.state();
        if state.is_moved {
            Err(Rejection(ProblemType::ChannelHeldElsewhere).into())
        } else {
            Ok(state)
        }
    }
}

#[async_trait::async_trait]
impl PaymentEngine for Engine {
    fn now(&self) -> i64 {
        NOW + self.state().later
    }

    async fn seller(&self) -> EngineResult<Seller> {
        Ok(Seller { operator: Address(Pubkey::new_from_array([1; 32])), cluster: [3; 32] })
    }

    async fn quote(&self, work: Pubkey, licensed_use: Use) -> EngineResult<Quote> {
        if self.state().is_offline {
            return Err(Rejection(ProblemType::ChainUnreachable).into());
        }
        Ok(Quote {
            work: Address(work),
            licensed_use,
            unit: Unit::Generation,
            price: Amount(PRICE),
            operator_fee_bps: 0,
            price_with_fee: Amount(PRICE),
            currency: Address(Pubkey::new_from_array([4; 32])),
            terms_number: 1,
            terms_digest: Digest([5; 32]),
            upfront_fee: Amount(0),
            free_units: 0,
        })
    }

    async fn authenticate(&self, api_key: Option<&str>) -> EngineResult<Arc<dyn Caller>> {
        let is_known = match api_key {
            Some(key) => key == API_KEY,
            None => !self.state().is_key_required,
        };
        if !is_known {
            return Err(Rejection(ProblemType::Unauthorized).into());
        }
        Ok(Arc::new(KnownCaller { engine: self.clone(), api_key: api_key.map(str::to_owned) }))
    }

    async fn license(&self, _: Pubkey, license: u16) -> EngineResult<ChannelLicense> {
        drop(self.served()?);
        let licensed_use = [Use::Generate, Use::StyleTransfer].get(usize::from(license)).copied();
        Ok(ChannelLicense { opened_slot: OPENED_SLOT, work: Address(WORK), licensed_use })
    }

    async fn recorded_channel(&self, _: Pubkey) -> EngineResult<Channel> {
        let channel: Channel = bytemuck::Zeroable::zeroed();
        Ok(Channel { opened_slot: OPENED_SLOT, ..channel })
    }

    fn verify_payer(
        &self,
        _: Pubkey,
        _: &Channel,
        _: PayerAction,
        proof: &PayerProof,
    ) -> EngineResult<()> {
        if proof.signature.0 == [9; 64] {
            Ok(())
        } else {
            Err(Rejection(ProblemType::NotByPayer).into())
        }
    }

    async fn hold(
        &self,
        channel: Pubkey,
        key: &IdempotencyKey,
        request: &HoldRequest,
    ) -> EngineResult<HoldFacts> {
        let mut state = self.served()?;
        let id = hold_id(&channel, OPENED_SLOT, key);
        let new = HoldFacts {
            hold: Digest(id),
            channel: Address(channel),
            license: request.license,
            units: request.units,
            request_digest: request.request_digest,
            expires_at: request.expires_at,
            state: HoldState::Open,
        };
        let held = *state.holds.entry(id).or_insert(new);
        if held.request_digest != request.request_digest {
            return Err(Rejection(ProblemType::IdempotencyKeyReused).into());
        }
        Ok(held)
    }

    async fn is_held(&self, _: Pubkey, hold: AnswerId) -> bool {
        self.state().holds.get(&hold).is_some_and(|held| held.state == HoldState::Open)
    }

    async fn release(&self, _: Pubkey, hold: AnswerId) {
        let listeners = {
            let mut state = self.state();
            let held = state.holds.get_mut(&hold).filter(|held| held.state == HoldState::Open);
            let Some(held) = held else { return };
            held.state = HoldState::Released;
            state.listeners.clone()
        };
        listeners.iter().for_each(|listener| listener(hold));
    }

    fn on_release(&self, listener: ReleaseListener) {
        self.state().listeners.push(listener.into());
    }

    fn keep_parts(&self, keeper: PartKeeper) {
        self.state().keeper = Some(keeper.into());
    }

    async fn amount_due(&self, _: Pubkey, _: u16, units: u32) -> EngineResult<AmountDue> {
        let state = self.served()?;
        let price = PRICE * u64::from(units);
        let cumulative = Amount(state.owed + price);
        let expected = ExpectedStatement { statement: 0, cumulative, entries: Vec::new() };
        Ok(AmountDue { price: Amount(price), expected })
    }

    async fn receipt(&self, answer: AnswerKey) -> EngineResult<Option<SignedReceipt>> {
        Ok(self.state().paid.get(&answer.id).copied())
    }

    fn count(&self, event: AnswerEvent) {
        self.state().events.push(event);
    }
}

#[async_trait::async_trait]
impl Caller for KnownCaller {
    async fn pay(
        &self,
        answer: AnswerKey,
        request: GenerationRequest,
    ) -> EngineResult<SignedReceipt> {
        let mut state = self.engine.served()?;
        if let Some(receipt) = state.paid.get(&answer.id) {
            return Ok(*receipt);
        }
        let amount = PRICE * u64::from(request.units);
        if request.voucher.voucher.cumulative != state.owed + amount {
            return Err(Rejection(ProblemType::WrongPrice).into());
        }
        state.owed += amount;
        state.payers.push(self.api_key.clone());
        if let Some(held) = state.holds.get_mut(&answer.id) {
            held.state = HoldState::Captured;
        }
        let receipt = SignedReceipt::unsigned(Receipt {
            channel: answer.channel,
            opened_slot: OPENED_SLOT,
            statement: 0,
            position: state.paid.len() as u32,
            license: request.license,
            units: request.units,
            terms_number: 1,
            amount,
            cumulative: state.owed,
            work: WORK,
            request_digest: request.request_digest.0,
            output_digest: request.output_digest.0,
            issued_at: NOW,
        });
        state.paid.insert(answer.id, receipt);
        Ok(receipt)
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0.title())
    }
}

impl std::error::Error for Rejection {}

impl EngineError for Rejection {
    fn problem_type(&self) -> ProblemType {
        self.0
    }

    fn problem(&self) -> Problem {
        Problem {
            slug: self.0.slug().to_owned(),
            title: self.0.title().to_owned(),
            status: self.0.status(),
            detail: self.to_string(),
            expected: None,
            payment: None,
            holder: None,
            items: Vec::new(),
        }
    }

    fn is_rejected_voucher(&self) -> bool {
        self.0 == ProblemType::WrongPrice
    }

    fn into_response(self: Box<Self>) -> Response {
        let status = StatusCode::from_u16(self.0.status()).unwrap();
        (status, axum::Json(self.problem())).into_response()
    }
}
