//! The payer's state in its file.

use motif_interface::{channel::ChannelAccount, operator::ReceiptKeys, receipt::SignedReceipt};
use motif_wire::{BatchReceipts, BatchRequest, StatementEntry};
use solana_pubkey::Pubkey;

use super::Machine;
use crate::{
    batch::Unanswered,
    books::Books,
    budget::Pending,
    error::{InvalidJournal, PayerError, parse},
    journal::{Answered, Forgotten, Record, Refused, records},
    policy::PayerPolicy,
    state::{SavedBatch, SavedState, SavedStatement, UnansweredText},
};

impl Machine {
    /// Restores a payer from its state file and the channel as read from the chain. Returns `None` if
    /// the file has no whole record.
    ///
    /// # Errors
    /// [`InvalidJournal`].
    pub fn load(
        address: Pubkey,
        account: &ChannelAccount,
        receipt_keys: ReceiptKeys,
        policy: PayerPolicy,
        file: &[u8],
    ) -> Result<Option<Self>, InvalidJournal> {
        let Some((mut saved, batch)) = fold(records(file)?)? else { return Ok(None) };
        let slot = account.channel.opened_slot;
        if (saved.channel.0, saved.opened_slot) != (address, slot) {
            let channel = saved.channel.0.to_string();
            return Err(InvalidJournal::OtherChannel(channel, saved.opened_slot));
        }
        saved.is_kept = true;
        saved.settle(account.channel.statements.length);
        let mut books = Books::new(address, account);
        let contradicted = |error: PayerError| InvalidJournal::Contradicted(error.to_string());
        for statement in &saved.statements {
            if statement.number != books.number {
                let (own, chain) = (statement.number, books.number);
                let text = format!("statement {own} is the next, and {chain} by the chain");
                return Err(InvalidJournal::Contradicted(text));
            }
            add_statement(&mut books, statement).map_err(contradicted)?;
            if statement.number < saved.number {
                books.cut(None);
            }
        }
        saved.number = books.number;
        let mut machine = Self::with(books, account, receipt_keys, policy, saved);
        machine.unanswered = batch.map(|batch| machine.restore_batch(batch)).transpose()?;
        let sent = machine.unanswered.iter().flat_map(|unanswered| &unanswered.batch.groups);
        let sent: u32 = sent.filter(|group| group.is_again).map(|group| group.count).sum();
        machine.queue_offers(sent as usize);
        Ok(Some(machine))
    }

    fn restore_batch(&self, batch: SavedBatch) -> Result<Unanswered, InvalidJournal> {
        let request: BatchRequest = parse(&batch.body)?;
        let voucher = &request.voucher.voucher;
        let mut draft = self.books.draft();
        let fits = request.generations.iter().try_for_each(|one| {
            self.books.add(&mut draft, (one.license, one.units), None).map(drop)
        });
        let total = fits.and_then(|()| self.books.cumulative_with(draft.prices));
        let is_next = !batch.is_adopted
            && voucher.statement == self.books.number
            && total.is_ok_and(|total| total == voucher.cumulative);
        let count = batch.groups.len();
        let mut pending = Pending::default();
        let tags = batch.groups.iter().flat_map(|group| (0..group.count).map(move |_| group));
        for (group, price) in tags.zip(&batch.prices).filter(|(group, _)| !group.is_again) {
            pending.add(group.tag.as_deref(), self.with_fee(*price));
        }
        Ok(Unanswered {
            batch,
            request,
            tickets: vec![None; count],
            draft: is_next.then_some(draft),
            pending,
            may_be_charged: true,
        })
    }

    /// Returns the whole state as a frame, which begins a new state file.
    pub fn snapshot(&self) -> Vec<u8> {
        let unanswered = self.unanswered.as_ref().map(|unanswered| UnansweredText {
            batch: unanswered.batch.clone(),
            body: String::from_utf8_lossy(&unanswered.batch.body).into_owned(),
        });
        let state = SavedState { unanswered, ..self.saved.clone() };
        Record::Snapshot(Box::new(state)).to_frame()
    }
}

/// Returns the state after all records, with the unanswered batch; `None` without a record.
fn fold(records: Vec<Record>) -> Result<Option<(SavedState, Option<SavedBatch>)>, InvalidJournal> {
    let mut records = records.into_iter();
    let mut state = match records.next() {
        None => return Ok(None),
        Some(Record::Snapshot(state)) => *state,
        Some(_) => return Err(InvalidJournal::NoSnapshot),
    };
    let unanswered = |state: &mut SavedState| {
        let text = state.unanswered.take();
        text.map(|text| SavedBatch { body: text.body.into_bytes(), ..text.batch })
    };
    let mut batch = unanswered(&mut state);
    state.is_kept = true;
    for record in records {
        match record {
            Record::Snapshot(newer) => {
                state = SavedState { is_kept: true, ..*newer };
                batch = unanswered(&mut state);
            }
            Record::Signed(signed) => batch = Some(signed),
            Record::Answered { head, body } => {
                let alone = || InvalidJournal::Malformed("an answer has no request".to_owned());
                let signed = batch.take().ok_or_else(alone)?;
                let request: BatchRequest = parse(&signed.body)?;
                let answer: BatchReceipts = parse(&body)?;
                let receipts: Vec<_> = answer.receipts.iter().map(SignedReceipt::from).collect();
                let Answered { at, charges } = &head;
                state.number = state.number.max(request.voucher.voucher.statement);
                state.count(&signed, &request.generations, charges, &receipts, *at);
            }
            Record::Refused(Refused { is_cut }) => {
                batch = None;
                state.number = state.number.saturating_add(u64::from(is_cut));
            }
            Record::Forgotten(Forgotten { through }) => state.forget(through),
        }
    }
    Ok(Some((state, batch)))
}

pub(super) fn add_statement(
    books: &mut Books,
    statement: &SavedStatement,
) -> Result<(), PayerError> {
    add_entries(books, &statement.entries)?;
    let mut draft = books.draft();
    for one in &statement.generations {
        books.add(&mut draft, (one.license, one.units), None)?;
    }
    books.count(draft);
    Ok(())
}

pub(super) fn add_entries(books: &mut Books, entries: &[StatementEntry]) -> Result<(), PayerError> {
    let mut draft = books.draft();
    for entry in entries {
        books.add(&mut draft, (entry.license, entry.units), None)?;
    }
    books.count(draft);
    Ok(())
}
