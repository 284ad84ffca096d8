use solana_instruction::Instruction;
use solana_pubkey::Pubkey;
use solana_sdk_ids::compute_budget;

/// Compute unit limit and price of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ComputeBudget {
    /// Maximum compute units.
    pub units: u32,
    /// Price of a compute unit, micro-lamports; 0 for no priority fee.
    pub price: u64,
}

impl ComputeBudget {
    /// Maximum compute units of a transaction.
    pub const MAX_UNITS: u32 = 1_400_000;
    /// Bytes that limit and price add to a classic transaction.
    pub const BYTES: usize = 52;
    /// Units added to those of a simulation, on top of a fifth: an account may take longer to find
    /// or to grow than in the simulated slot.
    const MARGIN: u32 = 2_000;

    /// Returns the unit limit of a transaction that used `simulated` units in simulation.
    pub fn limit(simulated: u64) -> u32 {
        let simulated = u32::try_from(simulated).unwrap_or(u32::MAX);
        let limit = simulated.saturating_add(simulated / 5).saturating_add(Self::MARGIN);
        limit.min(Self::MAX_UNITS)
    }

    /// Returns the priority fee, lamports, rounded up as the runtime does.
    pub fn lamports(&self) -> u64 {
        let micro = u128::from(self.price) * u128::from(self.units); // below 2^96
        u64::try_from(micro.div_ceil(1_000_000)).unwrap_or(u64::MAX)
    }

    /// Returns the instructions that set limit and price, before `instructions`.
    pub fn before(&self, instructions: &[Instruction]) -> Vec<Instruction> {
        let limit = [&[2_u8][..], &self.units.to_le_bytes()].concat();
        let price = [&[3_u8][..], &self.price.to_le_bytes()].concat();
        let price = (self.price > 0).then_some(price);
        let own = [Some(limit), price].into_iter().flatten();
        let program_id = compute_budget::ID;
        let own = own.map(|data| Instruction { program_id, accounts: Vec::new(), data });
        own.chain(instructions.iter().cloned()).collect()
    }
}

/// Returns the accounts that a transaction of these instructions writes, at most 128.
pub(super) fn written(instructions: &[Instruction], fee_payer: &Pubkey) -> Vec<Pubkey> {
    const MAX_ADDRESSES: usize = 128;
    let mut written = vec![*fee_payer];
    for account in instructions.iter().flat_map(|instruction| &instruction.accounts) {
        if account.is_writable && !written.contains(&account.pubkey) {
            written.push(account.pubkey);
        }
    }
    written.truncate(MAX_ADDRESSES);
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limit_has_margin_and_maximum() {
        assert_eq!(ComputeBudget::limit(10_000), 14_000);
        assert_eq!(ComputeBudget::limit(1_390_000), ComputeBudget::MAX_UNITS);
        assert_eq!(ComputeBudget::limit(u64::MAX), ComputeBudget::MAX_UNITS);
    }

    #[test]
    fn unpriced_budget_sets_limit_only() {
        let own = |price| ComputeBudget { units: 7, price }.before(&[]);
        assert_eq!(own(0).len(), 1);
        assert_eq!(own(0)[0].data, [2, 7, 0, 0, 0]);
        assert_eq!(own(9)[1].data, [3, 9, 0, 0, 0, 0, 0, 0, 0]);
    }
}
