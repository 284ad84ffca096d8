//! Channels and licenses: instructions of the payments program, and reading its accounts.

use anchor_lang::{Discriminator, InstructionData, ToAccountMetas};
use solana_instruction::{AccountMeta, Instruction};
use solana_pubkey::Pubkey;

pub use licensing::{Unit, Use};
pub use payments::ID as PROGRAM_ID;
pub use payments::{
    Channel, License, Licensee, PaymentsError, Quota, ReceiptsCommitment, Settlement,
    StatementBuffer, StatementRecord, Vault,
    instructions::{AcceptTermsArgs, OpenChannelArgs, SettleArgs, SettleCosignedArgs},
    proof::{ED25519_PROGRAM, INSTRUCTIONS_SYSVAR},
    statement::Entry,
};

use crate::{
    pda,
    voucher::{SignedVoucher, Voucher},
};

pub(crate) const SYSTEM_PROGRAM: Pubkey =
    Pubkey::from_str_const("11111111111111111111111111111111");
/// The SPL Token program.
pub const TOKEN_PROGRAM: Pubkey =
    Pubkey::from_str_const("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA");
/// The Token-2022 program.
pub const TOKEN_2022_PROGRAM: Pubkey =
    Pubkey::from_str_const("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb");
pub(crate) const ASSOCIATED_TOKEN_PROGRAM: Pubkey =
    Pubkey::from_str_const("ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL");

/// A mint and the token program that owns it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Currency {
    /// The mint.
    pub mint: Pubkey,
    /// SPL Token or Token-2022.
    pub token_program: Pubkey,
}

impl Currency {
    /// A mint of the SPL Token program.
    pub fn spl(mint: Pubkey) -> Self {
        Self { mint, token_program: TOKEN_PROGRAM }
    }

    /// The associated token account of `owner` in this currency.
    pub fn tokens(&self, owner: &Pubkey) -> Pubkey {
        pda::tokens(owner, &self.mint, &self.token_program)
    }

    fn vault_tokens(&self) -> Pubkey {
        pda::vault_tokens(&self.mint, &self.token_program)
    }
}

/// A channel as it stands on chain.
#[derive(Clone, Debug)]
pub struct ChannelAccount {
    /// Parties, totals and the record of settled statements.
    pub channel: Channel,
    /// What it licenses; statements name licenses by their position here.
    pub licenses: Vec<License>,
}

impl ChannelAccount {
    /// Reads an account's data; `None` when it is not a channel's. The caller checks that the
    /// account belongs to the payments program.
    pub fn from_bytes(data: &[u8]) -> Option<Self> {
        let body = data.strip_prefix(Channel::DISCRIMINATOR)?;
        let (header, licenses) = body.split_at_checked(size_of::<Channel>())?;
        let (licenses, rest) = licenses.as_chunks::<{ License::SIZE }>();
        let whole = rest.is_empty();
        whole.then(|| Self {
            channel: bytemuck::pod_read_unaligned(header),
            licenses: licenses.iter().map(|bytes| bytemuck::pod_read_unaligned(bytes)).collect(),
        })
    }
}

/// Admits a mint, once; anyone may pay for it. Signed by `funder`.
pub fn create_vault(funder: &Pubkey, currency: &Currency) -> Instruction {
    let accounts = payments::accounts::CreateVault {
        funder: *funder,
        mint: currency.mint,
        vault: pda::vault(&currency.mint),
        vault_tokens: currency.vault_tokens(),
        token_program: currency.token_program,
        associated_token_program: ASSOCIATED_TOKEN_PROGRAM,
        system_program: SYSTEM_PROGRAM,
    };
    instruction(accounts.to_account_metas(None), payments::instruction::CreateVault {}.data())
}

/// Opens a channel at [`pda::channel`] and deposits from the payer's associated token account.
/// Signed by `payer`.
pub fn open(
    payer: &Pubkey,
    operator: &Pubkey,
    currency: &Currency,
    args: OpenChannelArgs,
) -> Instruction {
    let accounts = payments::accounts::OpenChannel {
        payer: *payer,
        operator: *operator,
        mint: currency.mint,
        vault: pda::vault(&currency.mint),
        vault_tokens: currency.vault_tokens(),
        payer_tokens: currency.tokens(payer),
        channel: pda::channel(payer, operator, &currency.mint, args.salt),
        config: pda::config(),
        token_program: currency.token_program,
        system_program: SYSTEM_PROGRAM,
    };
    instruction(accounts.to_account_metas(None), payments::instruction::OpenChannel { args }.data())
}

/// Adds `amount` base units from the payer's associated token account. Signed by `payer`.
pub fn top_up(payer: &Pubkey, channel: &Pubkey, currency: &Currency, amount: u64) -> Instruction {
    let accounts = payments::accounts::TopUp {
        payer: *payer,
        channel: *channel,
        mint: currency.mint,
        vault: pda::vault(&currency.mint),
        vault_tokens: currency.vault_tokens(),
        payer_tokens: currency.tokens(payer),
        token_program: currency.token_program,
    };
    instruction(accounts.to_account_metas(None), payments::instruction::TopUp { amount }.data())
}

/// Which terms to accept, and who must agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Acceptance {
    /// The work.
    pub work: Pubkey,
    /// Number of its terms; only the latest can be accepted.
    pub terms_number: u32,
    /// The work's owner, where the terms ask for its approval and it has not granted one; it
    /// then signs too.
    pub approver: Option<Pubkey>,
    /// Whether the owner has granted this payer an approval.
    pub approval: bool,
    /// Whether the terms give each licensee something once ([`Licensee::needed_by`]).
    pub per_licensee: bool,
    /// Whether the terms have a cap that licensees share ([`licensing::Caps::shared`]).
    pub shared_caps: bool,
}

impl Acceptance {
    /// Of terms that need nobody's approval.
    pub fn of(terms: &licensing::Terms) -> Self {
        Self {
            work: terms.work,
            terms_number: terms.number,
            approver: None,
            approval: false,
            per_licensee: Licensee::needed_by(&terms.offer),
            shared_caps: terms.offer.caps.shared(),
        }
    }
}

/// Takes one use of a work's latest terms onto the channel, as its next license. Signed by
/// `payer`, and by the approver if there is one.
pub fn accept(
    payer: &Pubkey,
    channel: &Pubkey,
    acceptance: &Acceptance,
    args: AcceptTermsArgs,
) -> Instruction {
    let terms = pda::terms(&acceptance.work, acceptance.terms_number);
    let accounts = payments::accounts::AcceptTerms {
        payer: *payer,
        channel: *channel,
        work: acceptance.work,
        terms,
        approver: acceptance.approver,
        approval: acceptance
            .approval
            .then(|| pda::approval(&terms, payer, licensing::Purpose::License)),
        licensee: acceptance.per_licensee.then(|| pda::licensee(&terms, payer, args.licensed_use)),
        issuance: acceptance.shared_caps.then(|| pda::issuance(&terms)),
        system_program: SYSTEM_PROGRAM,
    };
    instruction(accounts.to_account_metas(None), payments::instruction::AcceptTerms { args }.data())
}

/// Settles a voucher and its statement: two instructions that must stay side by side, in this
/// order. Signed by `settler`.
pub fn settle(
    settler: &Pubkey,
    voucher: &SignedVoucher,
    statement: Vec<u8>,
    receipts: Option<ReceiptsCommitment>,
) -> [Instruction; 2] {
    let accounts = payments::accounts::Settle {
        settler: *settler,
        channel: voucher.voucher.channel,
        instructions: INSTRUCTIONS_SYSVAR,
    };
    let args = SettleArgs { statement, receipts };
    let data = payments::instruction::Settle { args }.data();
    [voucher.proof(), instruction(accounts.to_account_metas(None), data)]
}

/// As [`settle`], with `voucher_key`'s signature of the transaction in place of the voucher's own:
/// it agrees to what `voucher` says, whose expiry and cluster the transaction's blockhash
/// stand for. Signed by `settler` and `voucher_key`.
pub fn settle_cosigned(
    settler: &Pubkey,
    voucher_key: &Pubkey,
    voucher: &Voucher,
    statement: Vec<u8>,
    receipts: Option<ReceiptsCommitment>,
) -> Instruction {
    let accounts = payments::accounts::SettleCosigned {
        settler: *settler,
        voucher_key: *voucher_key,
        channel: voucher.channel,
    };
    let (opened_slot, number) = (voucher.opened_slot, voucher.statement);
    let cumulative = voucher.cumulative;
    let args = SettleCosignedArgs { opened_slot, number, cumulative, statement, receipts };
    let data = payments::instruction::SettleCosigned { args }.data();
    instruction(accounts.to_account_metas(None), data)
}

/// The largest part of a statement that [`stage`] writes within one classic packet.
pub const STAGED_PART_BYTES: usize = 900;

/// Writes down a statement too large for a packet, in the settler's own account for this
/// channel: an instruction that creates the account, and one for each part, in order. Each fits
/// a packet. Signed by `settler`.
pub fn stage(settler: &Pubkey, channel: &Pubkey, statement: &[u8]) -> Vec<Instruction> {
    let statement_buffer = pda::statement_buffer(channel, settler);
    let accounts = payments::accounts::CreateStatementBuffer {
        settler: *settler,
        channel: *channel,
        statement_buffer,
        system_program: SYSTEM_PROGRAM,
    };
    let data = payments::instruction::CreateStatementBuffer {}.data();
    let mut instructions = vec![instruction(accounts.to_account_metas(None), data)];
    for (part, offset) in
        statement.chunks(STAGED_PART_BYTES).zip((0_u32..).step_by(STAGED_PART_BYTES))
    {
        instructions.push(stage_part(settler, channel, offset, part.to_vec()));
    }
    instructions
}

/// Writes one part of a statement, at most where the last one ended. Signed by `settler`.
pub fn stage_part(settler: &Pubkey, channel: &Pubkey, offset: u32, bytes: Vec<u8>) -> Instruction {
    let accounts = payments::accounts::WriteStatementBuffer {
        settler: *settler,
        statement_buffer: pda::statement_buffer(channel, settler),
        system_program: SYSTEM_PROGRAM,
    };
    let data = payments::instruction::WriteStatementBuffer { offset, bytes }.data();
    instruction(accounts.to_account_metas(None), data)
}

/// As [`settle`], with the statement that `settler` has staged; its account is closed.
pub fn settle_buffered(
    settler: &Pubkey,
    voucher: &SignedVoucher,
    receipts: Option<ReceiptsCommitment>,
) -> [Instruction; 2] {
    let channel = voucher.voucher.channel;
    let accounts = payments::accounts::SettleBuffered {
        settler: *settler,
        channel,
        statement_buffer: pda::statement_buffer(&channel, settler),
        instructions: INSTRUCTIONS_SYSVAR,
    };
    let data = payments::instruction::SettleBuffered { receipts }.data();
    [voucher.proof(), instruction(accounts.to_account_metas(None), data)]
}

/// Gives back the rent of what `settler` staged. Signed by `settler`.
pub fn close_statement_buffer(settler: &Pubkey, channel: &Pubkey) -> Instruction {
    let accounts = payments::accounts::CloseStatementBuffer {
        settler: *settler,
        statement_buffer: pda::statement_buffer(channel, settler),
    };
    instruction(
        accounts.to_account_metas(None),
        payments::instruction::CloseStatementBuffer {}.data(),
    )
}

/// Ends licenses of withdrawn works when their notice is over. Anyone may. `licenses` are
/// indexes with the works they are of.
pub fn apply_withdrawal(channel: &Pubkey, licenses: &[(u16, Pubkey)]) -> Instruction {
    let accounts = payments::accounts::ApplyWithdrawal { channel: *channel };
    let mut metas = accounts.to_account_metas(None);
    metas.extend(licenses.iter().map(|(_, work)| AccountMeta::new_readonly(*work, false)));
    let licenses = licenses.iter().map(|(index, _)| *index).collect();
    instruction(metas, payments::instruction::ApplyWithdrawal { licenses }.data())
}

/// Gives the unused quota of the license at `index` back to other licensees. Signed by
/// `caller`: the operator, or anyone once the license has expired or the channel is closed.
pub fn release_quota(
    caller: &Pubkey,
    channel: &Pubkey,
    index: u16,
    work: &Pubkey,
    terms_number: u32,
) -> Instruction {
    let terms = pda::terms(work, terms_number);
    let accounts = payments::accounts::ReleaseQuota {
        caller: *caller,
        channel: *channel,
        terms,
        issuance: pda::issuance(&terms),
    };
    instruction(
        accounts.to_account_metas(None),
        payments::instruction::ReleaseQuota { index }.data(),
    )
}

/// Puts another voucher key in place: after the grace period, or at once where the operator is
/// named. Signed by `payer`, and by the operator where it is named.
pub fn rotate_voucher_key(
    payer: &Pubkey,
    operator: Option<Pubkey>,
    channel: &Pubkey,
    new_key: Pubkey,
) -> Instruction {
    let accounts =
        payments::accounts::RotateVoucherKey { payer: *payer, operator, channel: *channel };
    let data = payments::instruction::RotateVoucherKey { new_key }.data();
    instruction(accounts.to_account_metas(None), data)
}

/// Removes a channel from which nobody can take anything any more; the rent goes to the payer,
/// and so does the record that receipts are proved by. Signed by `payer`.
pub fn close(payer: &Pubkey, channel: &Pubkey) -> Instruction {
    let accounts = payments::accounts::CloseChannel { payer: *payer, channel: *channel };
    instruction(accounts.to_account_metas(None), payments::instruction::CloseChannel {}.data())
}

/// Moves the licenses' new credit into their works' earnings. Anyone may; the earnings must
/// have been opened. `licenses` are indexes with the works they are of.
pub fn collect(channel: &Pubkey, mint: &Pubkey, licenses: &[(u16, Pubkey)]) -> Instruction {
    let accounts = payments::accounts::Collect { channel: *channel };
    let mut metas = accounts.to_account_metas(None);
    let earnings = licenses.iter().map(|(_, work)| pda::earnings(work, mint));
    metas.extend(earnings.map(|address| AccountMeta::new(address, false)));
    let licenses = licenses.iter().map(|(index, _)| *index).collect();
    instruction(metas, payments::instruction::Collect { licenses }.data())
}

/// Pays the operator its fees, to its associated token account. Signed by `operator`.
pub fn claim_fees(operator: &Pubkey, channel: &Pubkey, currency: &Currency) -> Instruction {
    let accounts = payments::accounts::ClaimFees {
        operator: *operator,
        channel: *channel,
        destination: currency.tokens(operator),
        mint: currency.mint,
        vault: pda::vault(&currency.mint),
        vault_tokens: currency.vault_tokens(),
        token_program: currency.token_program,
    };
    instruction(accounts.to_account_metas(None), payments::instruction::ClaimFees {}.data())
}

/// Starts the grace period when `caller` is the payer; closes at once when it is the operator.
/// Signed by `caller`.
pub fn start_closing(caller: &Pubkey, channel: &Pubkey) -> Instruction {
    let accounts = payments::accounts::StartClosing { caller: *caller, channel: *channel };
    instruction(accounts.to_account_metas(None), payments::instruction::StartClosing {}.data())
}

/// Returns what was never charged to the payer's associated token account. Signed by `payer`.
pub fn withdraw(payer: &Pubkey, channel: &Pubkey, currency: &Currency) -> Instruction {
    let accounts = payments::accounts::Withdraw {
        payer: *payer,
        channel: *channel,
        destination: currency.tokens(payer),
        mint: currency.mint,
        vault: pda::vault(&currency.mint),
        vault_tokens: currency.vault_tokens(),
        token_program: currency.token_program,
    };
    instruction(accounts.to_account_metas(None), payments::instruction::Withdraw {}.data())
}

pub(crate) fn instruction(accounts: Vec<AccountMeta>, data: Vec<u8>) -> Instruction {
    Instruction { program_id: PROGRAM_ID, accounts, data }
}
