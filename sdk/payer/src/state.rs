//! Persistent part of a payer's state.

use motif_interface::receipt::SignedReceipt;
use motif_wire::{Address, BatchedGeneration, ReceiptParts, StatementEntry};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{
    error::{InvalidJournal, parse},
    tag_amounts::TagAmounts,
};

/// Receipt that was not exported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptReceipt {
    /// Number, ascending from 1 over all receipts of the state.
    pub number: u64,
    /// Tag of the payment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// Amount charged, base units, fees included; 0 for a payment that was offered again.
    pub charged: u64,
    /// Verified receipt.
    #[serde(serialize_with = "write_receipt", deserialize_with = "read_receipt")]
    pub receipt: SignedReceipt,
}

/// Payer's state between two processes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct SavedState {
    pub version: u32,
    pub channel: Address,
    pub opened_slot: u64,
    /// Number of the open statement.
    pub number: u64,
    /// Unsettled statements, oldest first.
    pub statements: Vec<SavedStatement>,
    /// Generations that the gateway has lost and is offered again, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub offers: Vec<BatchedGeneration>,
    /// Spending since the state was created, base units, fees included.
    pub spent: u64,
    /// Spending by day and tag.
    #[serde(serialize_with = "write_days", deserialize_with = "read_days")]
    pub days: Vec<(i64, TagAmounts)>,
    /// Receipts that were not exported.
    pub receipts: Vec<KeptReceipt>,
    /// Number of the next receipt.
    pub next_receipt: u64,
    /// Signed batch without an answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unanswered: Option<UnansweredText>,
    /// Whether receipts and generations are kept: the state is stored.
    #[serde(skip)]
    pub is_kept: bool,
}

/// Unsettled statement.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct SavedStatement {
    pub number: u64,
    /// Units that another process has signed, whose generations are unknown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub entries: Vec<StatementEntry>,
    /// Generations, in order, after those units.
    pub generations: Vec<BatchedGeneration>,
}

/// Signed batch. The body of its request is stored apart.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct SavedBatch {
    /// Idempotency key.
    pub key: String,
    /// Prices of the generations, base units.
    pub prices: Vec<u64>,
    pub groups: Vec<SavedGroup>,
    /// Whether a total that this payer has taken over from the gateway has it already.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_adopted: bool,
    #[serde(skip)]
    pub body: Vec<u8>,
}

/// Generations that are paid for together or not at all.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct SavedGroup {
    pub count: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// Whether it was paid for before, and is offered to a gateway that has lost it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_again: bool,
}

/// Signed batch within a snapshot.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct UnansweredText {
    pub batch: SavedBatch,
    pub body: String,
}

impl SavedState {
    pub const VERSION: u32 = 1;
    /// Days of which spending is known.
    const DAYS: i64 = 40;

    pub fn new(channel: Address, opened_slot: u64, number: u64, is_kept: bool) -> Self {
        Self {
            version: Self::VERSION,
            channel,
            opened_slot,
            number,
            statements: Vec::new(),
            offers: Vec::new(),
            spent: 0,
            days: Vec::new(),
            receipts: Vec::new(),
            next_receipt: 1,
            unanswered: None,
            is_kept,
        }
    }

    pub fn read(json: &[u8]) -> Result<Self, InvalidJournal> {
        #[derive(Deserialize)]
        struct Versioned {
            version: u32,
        }
        let Versioned { version } = parse(json)?;
        if version > Self::VERSION {
            return Err(InvalidJournal::NewerVersion(version));
        }
        parse(json)
    }

    /// Counts a batch that the gateway accepted at unix second `at`. `charges` are base units by
    /// generation, fees included.
    pub fn count(
        &mut self,
        SavedBatch { groups, is_adopted, .. }: &SavedBatch,
        generations: &[BatchedGeneration],
        charges: &[u64],
        receipts: &[SignedReceipt],
        at: i64,
    ) {
        let day = day_of(at);
        self.days.retain(|(past, _)| *past > day.saturating_sub(Self::DAYS));
        let tags = groups.iter().flat_map(|group| (0..group.count).map(move |_| group));
        for (((group, charged), receipt), generation) in
            tags.zip(charges).zip(receipts).zip(generations)
        {
            let charged = if group.is_again { 0 } else { *charged };
            self.spent = self.spent.saturating_add(charged);
            let tag = group.tag.clone();
            spending_on(&mut self.days, day).add(tag.as_deref().unwrap_or_default(), charged);
            if self.is_kept {
                let (number, receipt) = (self.next_receipt, *receipt);
                self.receipts.push(KeptReceipt { number, tag, charged, receipt });
                self.next_receipt = number.saturating_add(1);
                if !is_adopted {
                    self.add_to_statement(receipt.receipt.statement, *generation);
                }
            }
        }
        let again: u32 =
            groups.iter().filter(|group| group.is_again).map(|group| group.count).sum();
        self.offers.drain(..self.offers.len().min(again as usize));
    }

    pub fn add_to_statement(&mut self, number: u64, generation: BatchedGeneration) {
        // A hold can be captured once, and is not part of what is offered again.
        let generation = BatchedGeneration { captures: None, ..generation };
        match self.statements.last_mut().filter(|last| last.number == number) {
            Some(last) => last.generations.push(generation),
            None => {
                let (entries, generations) = (Vec::new(), vec![generation]);
                self.statements.push(SavedStatement { number, entries, generations });
            }
        }
    }

    pub fn forget(&mut self, through: u64) {
        self.receipts.retain(|receipt| receipt.number > through);
    }

    /// Drops statements that have settled: those before `length`.
    pub fn settle(&mut self, length: u64) {
        self.statements.retain(|statement| statement.number >= length);
    }

    /// Returns spending of a day, base units, fees included; of all tags without `tag`.
    pub fn spent_on(&self, day: i64, tag: Option<&str>) -> u64 {
        let Some((_, spent)) = self.days.iter().find(|(known, _)| *known == day) else { return 0 };
        match tag {
            Some(tag) => spent.get(tag).unwrap_or(0),
            None => spent.iter().fold(0, |sum, (_, spent)| sum.saturating_add(spent)),
        }
    }
}

/// Returns the UTC day of a unix second.
pub fn day_of(unix_seconds: i64) -> i64 {
    unix_seconds.div_euclid(86_400)
}

fn write_receipt<S: Serializer>(signed: &SignedReceipt, to: S) -> Result<S::Ok, S::Error> {
    ReceiptParts::from(signed).serialize(to)
}

fn read_receipt<'de, D: Deserializer<'de>>(from: D) -> Result<SignedReceipt, D::Error> {
    ReceiptParts::deserialize(from).map(|parts| SignedReceipt::from(&parts))
}

/// Returns the spending of a day.
fn spending_on(days: &mut Vec<(i64, TagAmounts)>, day: i64) -> &mut TagAmounts {
    let position = days.iter().position(|(known, _)| *known == day).unwrap_or_else(|| {
        days.push((day, TagAmounts::default()));
        days.len() - 1
    });
    &mut days[position].1
}

fn write_days<S: Serializer>(days: &[(i64, TagAmounts)], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(
        days.iter()
            .flat_map(|(day, spent)| spent.iter().map(move |(tag, amount)| (*day, tag, amount))),
    )
}

fn read_days<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<(i64, TagAmounts)>, D::Error> {
    let mut days = Vec::new();
    for (day, tag, spent) in Vec::<(i64, String, u64)>::deserialize(from)? {
        spending_on(&mut days, day).insert(&tag, spent);
    }
    Ok(days)
}
