//! Program for attacks: it accepts any input, forwards the given call, and logs the given
//! bytes.

use litesvm::LiteSVM;
use solana_instruction::{AccountMeta, Instruction};
use solana_program_test::{BuiltinFunctionDefinition, InvokeContext};
use solana_pubkey::Pubkey;

/// Address of the program.
pub const ID: Pubkey = Pubkey::from_str_const("Re1ay11111111111111111111111111111111111111");

/// Adds the program to a cluster.
pub fn deploy(svm: &mut LiteSVM) {
    svm.add_builtin(ID, <Relay as BuiltinFunctionDefinition<_>>::register);
}

const DATA_LINE: &str = "Program data: ";

/// Returns a call that logs an event's bytes, base64, in the same form as an event.
pub fn logging(event: &str) -> Instruction {
    let line = format!("{DATA_LINE}{event}");
    Instruction { program_id: ID, accounts: Vec::new(), data: line.into_bytes() }
}

struct Relay;

impl BuiltinFunctionDefinition<InvokeContext<'_, '_>> for Relay {
    type Error = Box<dyn std::error::Error>;

    fn rust(
        context: &mut InvokeContext<'_, '_>,
        _: u64,
        _: u64,
        _: u64,
        _: u64,
        _: u64,
    ) -> Result<u64, Self::Error> {
        context.compute_meter.consume_checked(1)?;
        let running = context.transaction_context.get_current_instruction_context()?;
        let accounts = running.get_number_of_instruction_accounts();
        if accounts == 0 {
            let line = std::str::from_utf8(running.get_instruction_data()).unwrap_or_default();
            if let Some(log) = context.get_log_collector().filter(|_| line.starts_with(DATA_LINE)) {
                log.borrow_mut().log(line);
            }
            return Ok(0);
        }
        let key = |index| {
            let position = running.get_index_of_instruction_account_in_transaction(index)?;
            context.transaction_context.get_key_of_account_at_index(position).copied()
        };
        // First the program to call, then its accounts.
        let program_id = key(0)?;
        let meta = |index| {
            Ok::<_, Self::Error>(AccountMeta {
                pubkey: key(index)?,
                is_signer: running.is_instruction_account_signer(index)?,
                is_writable: running.is_instruction_account_writable(index)?,
            })
        };
        let metas = (1..accounts).map(meta).collect::<Result<Vec<_>, _>>()?;
        let data = running.get_instruction_data().to_vec();
        context.native_invoke_signed(Instruction { program_id, accounts: metas, data }, &[])?;
        Ok(0)
    }
}
