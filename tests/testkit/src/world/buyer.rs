use base64::{Engine, prelude::BASE64_STANDARD};
use ed25519_dalek::{Signer, SigningKey};
use motif_paywall::ClientTransaction;
use motif_sdk::{
    Pubkey,
    acceptance::MEMO_PROGRAM,
    channel::Currency,
    gateway::wire::{
        mpp,
        x402::{self, ExactPayload},
    },
};

/// Buyer that pays as stock x402 and MPP clients do.
#[derive(Clone, Debug)]
pub struct Buyer {
    key: SigningKey,
    /// Blockhash of its payments, if they are to land on a real cluster.
    blockhash: Option<[u8; 32]>,
}

/// Payment to a till, as its transaction states it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    /// Key that paid.
    pub wallet: Pubkey,
    /// Token account that is paid.
    pub tokens: Pubkey,
    /// Base units.
    pub amount: u64,
    /// Memo.
    pub memo: String,
}

/// What a transaction is built of.
struct Order<'a> {
    fee_payer: Pubkey,
    pay_to: Pubkey,
    mint: Pubkey,
    amount: u64,
    memo: &'a str,
    /// Whether the unit price comes before the limit, as in MPP.
    is_price_first: bool,
    blockhash: [u8; 32],
}

const COMPUTE_BUDGET: Pubkey =
    Pubkey::from_str_const("ComputeBudget111111111111111111111111111111");

impl Buyer {
    /// Creates a buyer of this number.
    pub fn new(number: u8) -> Self {
        Self::from_secret(&[number; 32])
    }

    /// Creates a buyer with this secret key.
    pub fn from_secret(secret: &[u8; 32]) -> Self {
        Self { key: SigningKey::from_bytes(secret), blockhash: None }
    }

    /// Sets the blockhash of its payments.
    pub fn under(self, blockhash: [u8; 32]) -> Self {
        Self { blockhash: Some(blockhash), ..self }
    }

    /// Returns the buyer's address.
    pub fn address(&self) -> Pubkey {
        Pubkey::new_from_array(self.key.verifying_key().to_bytes())
    }

    /// Pays an offer of x402, version 2, under a blockhash of its own.
    pub fn pay(&self, challenge: &x402::Challenge, blockhash: u8) -> x402::Payment {
        let accepted = challenge.accepts[0].clone();
        let extra = &accepted.extra;
        let transaction = self.transaction(&Order {
            fee_payer: extra.fee_payer.unwrap().0,
            pay_to: accepted.pay_to.0,
            mint: accepted.asset.0,
            amount: accepted.amount.0,
            memo: extra.memo.as_deref().unwrap(),
            is_price_first: false,
            blockhash: [blockhash; 32],
        });
        let payload = ExactPayload { transaction };
        x402::Payment { x402_version: 2, payload, accepted, extensions: None }
    }

    /// Pays an offer of x402, version 1.
    pub fn pay_v1(&self, challenge: &x402::ChallengeV1, blockhash: u8) -> x402::PaymentV1 {
        let accepted = &challenge.accepts[0];
        let transaction = self.transaction(&Order {
            fee_payer: accepted.extra.fee_payer.unwrap().0,
            pay_to: accepted.pay_to.0,
            mint: accepted.asset.0,
            amount: accepted.max_amount_required.0,
            memo: accepted.extra.memo.as_deref().unwrap(),
            is_price_first: false,
            blockhash: [blockhash; 32],
        });
        x402::PaymentV1 {
            x402_version: 1,
            scheme: accepted.scheme.clone(),
            network: accepted.network.clone(),
            payload: ExactPayload { transaction },
        }
    }

    /// Pays a challenge of MPP.
    pub fn pay_mpp(&self, challenge: &mpp::Challenge, blockhash: u8) -> mpp::Credential {
        let request: mpp::ChargeRequest = mpp::decode(&challenge.request).unwrap();
        let transaction = self.transaction(&Order {
            fee_payer: request.method_details.fee_payer_key.0,
            pay_to: request.recipient.0,
            mint: request.currency.0,
            amount: request.amount.0,
            memo: &request.external_id,
            is_price_first: true,
            blockhash: [blockhash; 32],
        });
        let payload = mpp::CredentialPayload::Transaction { transaction };
        mpp::Credential { challenge: challenge.clone(), payload }
    }

    /// Builds a version 0 transaction, standard base64. The fee payer's signature is open.
    fn transaction(&self, order: &Order<'_>) -> String {
        let currency = Currency::spl(order.mint);
        let keys = [
            order.fee_payer,
            self.address(),
            currency.tokens(&self.address()),
            currency.tokens(&order.pay_to),
            order.mint,
            currency.token_program,
            COMPUTE_BUDGET,
            MEMO_PROGRAM,
        ];
        let limit = (6, vec![], [&[2][..], &20_000_u32.to_le_bytes()].concat());
        let price = (6, vec![], [&[3][..], &1_u64.to_le_bytes()].concat());
        let transfer = [&[12][..], &order.amount.to_le_bytes(), &[6]].concat();
        let mut instructions = vec![limit, price];
        if order.is_price_first {
            instructions.reverse();
        }
        instructions.push((5, vec![2, 4, 3, 1], transfer));
        instructions.push((7, vec![], order.memo.as_bytes().to_vec()));
        let mut message = vec![0x80, 2, 1, 4, keys.len() as u8];
        keys.iter().for_each(|key| message.extend_from_slice(key.as_ref()));
        message.extend(self.blockhash.unwrap_or(order.blockhash));
        message.push(instructions.len() as u8);
        for (program, accounts, data) in instructions {
            message.extend([program, accounts.len() as u8]);
            message.extend(accounts);
            message.push(data.len() as u8);
            message.extend(data);
        }
        message.push(0);
        let mut bytes = vec![2];
        bytes.extend([0; 64]);
        bytes.extend(self.key.sign(&message).to_bytes());
        bytes.extend(message);
        BASE64_STANDARD.encode(bytes)
    }
}

impl Payment {
    /// Reads a transaction with a memo; `None` for any other one.
    pub(super) fn read(transaction: &[u8]) -> Option<Self> {
        let read = ClientTransaction::parse(transaction).ok()?;
        let of = |program: Pubkey| {
            let mut all = read.instructions.iter();
            all.find(|one| read.keys[usize::from(one.program)] == program)
        };
        let memo = of(MEMO_PROGRAM)?;
        let transfer = of(motif_sdk::channel::Currency::spl(Pubkey::default()).token_program)?;
        Some(Self {
            wallet: read.keys[1],
            tokens: read.keys[usize::from(transfer.accounts[2])],
            amount: u64::from_le_bytes(transfer.data[1..9].try_into().unwrap()),
            memo: String::from_utf8(memo.data.clone()).unwrap(),
        })
    }
}
