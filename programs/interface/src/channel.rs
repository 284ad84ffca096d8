//! Instructions of the payments program on channels.

use solana_instruction::{AccountMeta, Instruction};
use solana_pubkey::Pubkey;
use solana_sdk_ids::system_program;

use crate::{
    codec::*,
    instruction::{optional, readonly, signer, writable, writable_signer},
    licensing::{Purpose, Terms},
    pda,
    voucher::{SignedVoucher, Voucher},
};

pub use crate::{
    licensing::{Unit, Use},
    payments::{
        Channel, ChannelAccount, ID as PROGRAM_ID, License, Licensee, Moment, PaymentsError, Quota,
        ReceiptsCommitment, Settlement, StatementBuffer, StatementRecord, Vault,
    },
    statement::Entry,
    token::{ASSOCIATED_TOKEN_PROGRAM, Currency, TOKEN_2022_PROGRAM, TOKEN_PROGRAM},
    voucher_proof::{ED25519_PROGRAM, INSTRUCTIONS_SYSVAR},
};

/// Arguments of `open_channel`.
#[derive(BorshSerialize, BorshDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenChannelArgs {
    /// Distinguishes channels of the same payer, operator and mint.
    pub salt: u64,
    /// Key that signs vouchers and nothing else.
    pub voucher_key: Pubkey,
    /// Operator's fee in addition to prices.
    pub operator_fee_bps: u16,
    /// Time from a close request to the last settlement.
    pub grace_seconds: u32,
    /// First deposit, base units.
    pub deposit: u64,
    /// Key that settles besides the operator in the second half of the grace period, for creditors
    /// of an operator that has disappeared. Payer and operator need it to shorten this period.
    pub watcher: Option<Pubkey>,
}

/// Arguments of `accept_terms`.
#[derive(BorshSerialize, BorshDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub struct AcceptTermsArgs {
    /// Use to license.
    pub licensed_use: Use,
    /// Maximum price per unit that the payer accepts, base units.
    pub max_price: u64,
    /// SHA-256 of the terms account's data as the payer read it.
    pub terms_digest: [u8; 32],
    /// Requested part of shared caps; ignored if the terms have none.
    pub quota: Quota,
    /// Earliest expiry of the license that the payer accepts, unix seconds; [`i64::MIN`] for any.
    /// The person's consent may end at any moment before the acceptance lands.
    pub min_expires_at: i64,
}

/// Arguments of `settle`.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug, PartialEq, Eq)]
pub struct SettleArgs {
    /// Bytes of the statement: entries of 6 bytes.
    pub statement: Vec<u8>,
    /// Operator's commitment to the receipts; ignored for any other settler.
    pub receipts: Option<ReceiptsCommitment>,
}

/// Arguments of `settle_cosigned`.
#[derive(BorshSerialize, BorshDeserialize, Clone, Debug, PartialEq, Eq)]
pub struct SettleCosignedArgs {
    /// Slot in which the channel was opened.
    pub opened_slot: u64,
    /// Number of the statement.
    pub number: u64,
    /// Prices and fees since opening, including this statement, base units.
    pub cumulative: u64,
    /// Bytes of the statement: entries of 6 bytes.
    pub statement: Vec<u8>,
    /// Operator's commitment to the receipts; ignored for any other settler.
    pub receipts: Option<ReceiptsCommitment>,
}

/// Creates `create_vault`: admits a mint, once. Signed by `funder`, which can be any key.
pub fn create_vault(funder: &Pubkey, currency: &Currency) -> Instruction {
    let accounts = vec![
        writable_signer(*funder),
        readonly(currency.mint),
        writable(pda::vault(&currency.mint)),
        writable(currency.vault_tokens()),
        readonly(currency.token_program),
        readonly(ASSOCIATED_TOKEN_PROGRAM),
        readonly(system_program::ID),
    ];
    build("create_vault", accounts, &())
}

/// Creates `open_channel`: opens a channel at [`pda::channel`] with the operator of this authority,
/// which must be registered, and deposits from the payer's associated token account. Signed by
/// `payer`.
pub fn open(
    payer: &Pubkey,
    operator: &Pubkey,
    currency: &Currency,
    args: OpenChannelArgs,
) -> Instruction {
    let accounts = vec![
        writable_signer(*payer),
        readonly(pda::operator(operator)),
        readonly(currency.mint),
        readonly(pda::vault(&currency.mint)),
        writable(currency.vault_tokens()),
        writable(currency.tokens(payer)),
        writable(pda::channel(payer, operator, &currency.mint, args.salt)),
        readonly(pda::config()),
        readonly(currency.token_program),
        readonly(system_program::ID),
    ];
    build("open_channel", accounts, &args)
}

/// Creates `top_up`: deposits `amount` base units from the payer's associated token account. Signed
/// by `payer`.
pub fn top_up(payer: &Pubkey, channel: &Pubkey, currency: &Currency, amount: u64) -> Instruction {
    let accounts = vec![
        signer(*payer),
        writable(*channel),
        readonly(currency.mint),
        readonly(pda::vault(&currency.mint)),
        writable(currency.vault_tokens()),
        writable(currency.tokens(payer)),
        readonly(currency.token_program),
    ];
    build("top_up", accounts, &amount)
}

/// Terms to accept, and the accounts that their acceptance needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Acceptance {
    /// Licensed work.
    pub work: Pubkey,
    /// Number of its latest terms.
    pub terms_number: u32,
    /// Owner of the work that signs, if the terms need an approval and none was granted.
    pub approver: Option<Pubkey>,
    /// Whether the owner has granted the payer an approval.
    pub approval: bool,
    /// Whether the terms have free units or caps per licensee ([`Licensee::needed_by`]).
    pub per_licensee: bool,
    /// Whether the terms have a shared cap ([`Caps::shared`](crate::licensing::Caps::shared)).
    pub shared_caps: bool,
    /// Currency of the terms if they have an upfront fee or a shared cap, `None` otherwise. The payer
    /// deposits fee and quota from its associated token account.
    pub deposit_currency: Option<Currency>,
}

impl Acceptance {
    /// Creates the acceptance of terms without approval. `token_program` owns their currency.
    pub fn of(terms: &Terms, token_program: Pubkey) -> Self {
        let currency = Currency { mint: terms.currency, token_program };
        Self {
            work: terms.work,
            terms_number: terms.number,
            approver: None,
            approval: false,
            per_licensee: Licensee::needed_by(&terms.offer),
            shared_caps: terms.offer.caps.shared(),
            deposit_currency: terms.offer.needs_deposit().then_some(currency),
        }
    }
}

/// Creates `accept_terms`: adds one use of a work's latest terms to the channel, as its next
/// license, and deposits the upfront fee and the price of the quota, if there are any. Signed by
/// `payer`, and by the approver if there is one.
pub fn accept_terms(
    payer: &Pubkey,
    channel: &Pubkey,
    acceptance: &Acceptance,
    args: AcceptTermsArgs,
) -> Instruction {
    let terms = pda::terms(&acceptance.work, acceptance.terms_number);
    let approval = acceptance.approval.then(|| pda::approval(&terms, payer, Purpose::License));
    let licensee = acceptance.per_licensee.then(|| pda::licensee(&terms, payer, args.licensed_use));
    let issuance = acceptance.shared_caps.then(|| pda::issuance(&terms));
    let deposit = acceptance.deposit_currency;
    let accounts = vec![
        writable_signer(*payer),
        writable(*channel),
        readonly(acceptance.work),
        readonly(terms),
        optional(PROGRAM_ID, acceptance.approver, signer),
        optional(PROGRAM_ID, approval, readonly),
        optional(PROGRAM_ID, licensee, writable),
        optional(PROGRAM_ID, issuance, writable),
        readonly(system_program::ID),
        optional(PROGRAM_ID, deposit.map(|currency| currency.mint), readonly),
        optional(PROGRAM_ID, deposit.map(|currency| pda::vault(&currency.mint)), readonly),
        optional(PROGRAM_ID, deposit.map(|currency| currency.vault_tokens()), writable),
        optional(PROGRAM_ID, deposit.map(|currency| currency.tokens(payer)), writable),
        optional(PROGRAM_ID, deposit.map(|currency| currency.token_program), readonly),
    ];
    build("accept_terms", accounts, &args)
}

/// Creates the voucher's proof and `settle`, which must directly follow it. `operator` is the
/// authority of the channel's operator. Signed by `settler`.
pub fn settle(
    settler: &Pubkey,
    operator: &Pubkey,
    voucher: &SignedVoucher,
    statement: Vec<u8>,
    receipts: Option<ReceiptsCommitment>,
) -> [Instruction; 2] {
    let accounts = vec![
        signer(*settler),
        writable(voucher.voucher.channel),
        readonly(pda::operator(operator)),
        readonly(INSTRUCTIONS_SYSVAR),
    ];
    [voucher.proof(), build("settle", accounts, &SettleArgs { statement, receipts })]
}

/// Creates `settle_cosigned`: settles with `voucher_key`'s signature of the transaction instead of
/// the voucher's. The transaction's blockhash replaces the voucher's expiry and cluster. `operator`
/// is the authority of the channel's operator. Signed by `settler` and `voucher_key`.
pub fn settle_cosigned(
    settler: &Pubkey,
    operator: &Pubkey,
    voucher_key: &Pubkey,
    voucher: &Voucher,
    statement: Vec<u8>,
    receipts: Option<ReceiptsCommitment>,
) -> Instruction {
    let accounts = vec![
        signer(*settler),
        signer(*voucher_key),
        writable(voucher.channel),
        readonly(pda::operator(operator)),
    ];
    let args = SettleCosignedArgs {
        opened_slot: voucher.opened_slot,
        number: voucher.statement,
        cumulative: voucher.cumulative,
        statement,
        receipts,
    };
    build("settle_cosigned", accounts, &args)
}

/// Maximum bytes of a statement in one part, so that [`write_statement_buffer`] fits in a packet.
pub const BUFFER_PART_BYTES: usize = 900;

/// Creates the instructions that write a statement to the settler's buffer, in order:
/// `create_statement_buffer`, and `write_statement_buffer` for each part. Each fits in a packet.
/// Signed by `settler`.
pub fn buffer_statement(settler: &Pubkey, channel: &Pubkey, statement: &[u8]) -> Vec<Instruction> {
    let accounts = vec![
        writable_signer(*settler),
        readonly(*channel),
        writable(pda::statement_buffer(channel, settler)),
        readonly(system_program::ID),
    ];
    let mut instructions = vec![build("create_statement_buffer", accounts, &())];
    let offsets = (0_u32..).step_by(BUFFER_PART_BYTES);
    for (part, offset) in statement.chunks(BUFFER_PART_BYTES).zip(offsets) {
        instructions.push(write_statement_buffer(settler, channel, offset, part.to_vec()));
    }
    instructions
}

/// Creates `write_statement_buffer`: writes one part of a statement. `offset` is at most the end
/// of what is written. Signed by `settler`.
pub fn write_statement_buffer(
    settler: &Pubkey,
    channel: &Pubkey,
    offset: u32,
    bytes: Vec<u8>,
) -> Instruction {
    let accounts = vec![
        writable_signer(*settler),
        writable(pda::statement_buffer(channel, settler)),
        readonly(system_program::ID),
    ];
    build("write_statement_buffer", accounts, &(offset, bytes))
}

/// Creates the voucher's proof and `settle_buffered`, which settles the statement in `settler`'s
/// buffer and closes the buffer. `operator` is the authority of the channel's operator. Signed by
/// `settler`.
pub fn settle_buffered(
    settler: &Pubkey,
    operator: &Pubkey,
    voucher: &SignedVoucher,
    receipts: Option<ReceiptsCommitment>,
) -> [Instruction; 2] {
    let channel = voucher.voucher.channel;
    let accounts = vec![
        writable_signer(*settler),
        writable(channel),
        writable(pda::statement_buffer(&channel, settler)),
        readonly(pda::operator(operator)),
        readonly(INSTRUCTIONS_SYSVAR),
    ];
    [voucher.proof(), build("settle_buffered", accounts, &receipts)]
}

/// Creates `close_statement_buffer`: closes the settler's buffer and returns its rent. Signed by
/// `settler`.
pub fn close_statement_buffer(settler: &Pubkey, channel: &Pubkey) -> Instruction {
    let accounts =
        vec![writable_signer(*settler), writable(pda::statement_buffer(channel, settler))];
    build("close_statement_buffer", accounts, &())
}

/// Creates `apply_withdrawal`: ends licenses of withdrawn works after their notice, and never
/// within the channel's grace period from now. Needs no signature. `licenses` are indexes with the
/// licensed works.
pub fn apply_withdrawal(channel: &Pubkey, licenses: &[(u16, Pubkey)]) -> Instruction {
    let mut accounts = vec![writable(*channel)];
    accounts.extend(licenses.iter().map(|(_, work)| readonly(*work)));
    let licenses: Vec<u16> = licenses.iter().map(|(index, _)| *index).collect();
    build("apply_withdrawal", accounts, &licenses)
}

/// Creates `release_quota`: makes the unused quota of the license at `index` available to other
/// licensees, and its price to other charges. Signed by `caller`: any key after the license has
/// expired or the channel has closed, before that payer or operator's authority, with the other one
/// as `cosigner`.
pub fn release_quota(
    caller: &Pubkey,
    cosigner: Option<Pubkey>,
    channel: &Pubkey,
    index: u16,
    work: &Pubkey,
    terms_number: u32,
) -> Instruction {
    let terms = pda::terms(work, terms_number);
    let accounts = vec![
        signer(*caller),
        writable(*channel),
        readonly(terms),
        writable(pda::issuance(&terms)),
        optional(PROGRAM_ID, cosigner, signer),
    ];
    build("release_quota", accounts, &index)
}

/// Creates `rotate_voucher_key`: replaces the voucher key, after the grace period or at once if
/// `agreed` names the operator's authority and the channel's watcher. Signed by `payer`, and by
/// those named.
pub fn rotate_voucher_key(
    payer: &Pubkey,
    agreed: &Cosigners,
    channel: &Pubkey,
    new_key: Pubkey,
) -> Instruction {
    let accounts = vec![
        signer(*payer),
        optional(PROGRAM_ID, agreed.party, signer),
        optional(PROGRAM_ID, agreed.watcher, signer),
        writable(*channel),
    ];
    build("rotate_voucher_key", accounts, &new_key)
}

/// Creates `collect`: moves the licenses' new credit to their works' earnings, which must be open.
/// Needs no signature. `licenses` are indexes with the licensed works.
pub fn collect(channel: &Pubkey, mint: &Pubkey, licenses: &[(u16, Pubkey)]) -> Instruction {
    let mut accounts = vec![writable(*channel)];
    accounts.extend(licenses.iter().map(|(_, work)| writable(pda::earnings(work, mint))));
    let licenses: Vec<u16> = licenses.iter().map(|(index, _)| *index).collect();
    build("collect", accounts, &licenses)
}

/// Creates `claim_fees`: pays a channel's fees to the associated token account of its operator's
/// fee owner, which must exist. Needs no signature.
pub fn claim_fees(
    channel: &Pubkey,
    operator: &Pubkey,
    fee_owner: &Pubkey,
    currency: &Currency,
) -> Instruction {
    let accounts = vec![
        writable(*channel),
        readonly(pda::operator(operator)),
        readonly(*fee_owner),
        writable(currency.tokens(fee_owner)),
        readonly(currency.mint),
        readonly(pda::vault(&currency.mint)),
        writable(currency.vault_tokens()),
        readonly(currency.token_program),
    ];
    build("claim_fees", accounts, &())
}

/// Keys that sign for what payer and operator do together. Default: none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cosigners {
    /// The other party: payer or operator's authority.
    pub party: Option<Pubkey>,
    /// Watcher of the channel.
    pub watcher: Option<Pubkey>,
}

/// Creates `request_close`: starts the grace period. Closes the channel at once if the operator's
/// authority signs, the payer signs too or has started the grace period before, and the watcher
/// signs if there is one. Signed by `caller`, which is payer or authority, and by the cosigners.
pub fn request_close(caller: &Pubkey, cosigners: &Cosigners, channel: &Pubkey) -> Instruction {
    let accounts = vec![
        signer(*caller),
        writable(*channel),
        optional(PROGRAM_ID, cosigners.party, signer),
        optional(PROGRAM_ID, cosigners.watcher, signer),
    ];
    build("request_close", accounts, &())
}

/// Creates `withdraw`: returns the uncharged deposit to the payer's associated token account.
/// Signed by `payer`.
pub fn withdraw(payer: &Pubkey, channel: &Pubkey, currency: &Currency) -> Instruction {
    let accounts = vec![
        signer(*payer),
        writable(*channel),
        writable(currency.tokens(payer)),
        readonly(currency.mint),
        readonly(pda::vault(&currency.mint)),
        writable(currency.vault_tokens()),
        readonly(currency.token_program),
    ];
    build("withdraw", accounts, &())
}

/// Creates `close_channel`: closes a channel that is paid out. The payer receives the rent; the
/// records that prove receipts are deleted. Signed by `payer`.
pub fn close(payer: &Pubkey, channel: &Pubkey) -> Instruction {
    build("close_channel", vec![writable_signer(*payer), writable(*channel)], &())
}

pub(crate) fn build(
    name: &str,
    accounts: Vec<AccountMeta>,
    args: &impl BorshSerialize,
) -> Instruction {
    crate::instruction::build(PROGRAM_ID, name, accounts, args)
}
