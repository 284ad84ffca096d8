use solana_instruction::Instruction;
use solana_message::Message;
use solana_pubkey::Pubkey;

use super::ComputeBudget;

/// Maximum size of a legacy transaction on the wire, bytes.
pub const PACKET_BYTES: usize = 1_232;
const SIGNATURE_BYTES: usize = 64;

/// Groups instructions, in order, into as few legacy transactions as possible, with room for a
/// [`ComputeBudget`] in each. A larger instruction gets a transaction of its own.
pub fn packed(instructions: Vec<Instruction>, fee_payer: &Pubkey) -> Vec<Vec<Instruction>> {
    let mut packets: Vec<Vec<Instruction>> = Vec::new();
    for instruction in instructions {
        if let Some(packet) = packets.last_mut() {
            packet.push(instruction);
            if transaction_bytes(packet, fee_payer) + ComputeBudget::BYTES <= PACKET_BYTES {
                continue;
            }
            if let Some(instruction) = packet.pop() {
                packets.push(vec![instruction]);
            }
        } else {
            packets.push(vec![instruction]);
        }
    }
    packets
}

/// Returns the size of the signed transaction on the wire, bytes.
pub(super) fn transaction_bytes(instructions: &[Instruction], fee_payer: &Pubkey) -> usize {
    let message = Message::new(instructions, Some(fee_payer));
    let signatures = usize::from(message.header.num_required_signatures);
    // Fewer than 128 signatures: their count is one byte.
    1 + signatures * SIGNATURE_BYTES + message.serialize().len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::earnings;

    #[test]
    fn packets_keep_order_within_limit() {
        let payer = Pubkey::new_unique();
        let mint = Pubkey::new_unique();
        let open = |_| earnings::open(&payer, &Pubkey::new_unique(), &mint);
        let instructions: Vec<_> = (0..30).map(open).collect();
        let packets = packed(instructions.clone(), &payer);
        assert!(packets.len() > 1 && packets.len() < 6, "{} packets", packets.len());
        for packet in &packets {
            let bytes = transaction_bytes(packet, &payer) + ComputeBudget::BYTES;
            assert!(bytes <= PACKET_BYTES);
        }
        assert_eq!(packets.concat(), instructions);
    }
}
