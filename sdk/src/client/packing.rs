use solana_instruction::Instruction;
use solana_message::Message;
use solana_pubkey::Pubkey;

/// The most bytes of a classic transaction on the wire.
pub const PACKET_BYTES: usize = 1_232;
const SIGNATURE_BYTES: usize = 64;

/// Groups instructions, in order, into as few transactions as classic packets allow. An
/// instruction that fits no packet gets one of its own, for the cluster to refuse.
pub fn packed(instructions: Vec<Instruction>, fee_payer: &Pubkey) -> Vec<Vec<Instruction>> {
    let mut packets: Vec<Vec<Instruction>> = Vec::new();
    for instruction in instructions {
        if let Some(packet) = packets.last_mut() {
            packet.push(instruction);
            if transaction_bytes(packet, fee_payer) <= PACKET_BYTES {
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

/// Bytes of the signed transaction on the wire.
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
    fn packets_keep_the_order_and_stay_within_the_limit() {
        let payer = Pubkey::new_unique();
        let mint = Pubkey::new_unique();
        let open = |_| earnings::open(&payer, &Pubkey::new_unique(), &mint);
        let instructions: Vec<_> = (0..30).map(open).collect();
        let packets = packed(instructions.clone(), &payer);
        assert!(packets.len() > 1 && packets.len() < 6, "{} packets", packets.len());
        for packet in &packets {
            assert!(transaction_bytes(packet, &payer) <= PACKET_BYTES);
        }
        assert_eq!(packets.concat(), instructions);
    }
}
