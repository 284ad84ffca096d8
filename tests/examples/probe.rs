use ed25519_dalek::{Signer as _, SigningKey};
use litesvm::LiteSVM;
use payments::voucher::Voucher;
use rand::{RngCore, SeedableRng, rngs::StdRng};
use solana_compute_budget_interface::ComputeBudgetInstruction;
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_message::Message;
use solana_pubkey::Pubkey;
use solana_signer::Signer;
use solana_transaction::Transaction;

fn run(svm: &mut LiteSVM, payer: &Keypair, id: Pubkey, data: Vec<u8>) -> Result<(u64, usize, u64), String> {
    let calls = [
        ComputeBudgetInstruction::set_compute_unit_limit(1_400_000),
        Instruction { program_id: id, accounts: vec![], data },
    ];
    let message = Message::new(&calls, Some(&payer.pubkey()));
    let tx = Transaction::new(&[payer], message, svm.latest_blockhash());
    let out = svm.send_transaction(tx);
    svm.expire_blockhash();
    match out {
        Ok(meta) => {
            let line = meta.logs.iter().find(|l| l.contains(&format!("{id} consumed"))).cloned().unwrap();
            let cu = line.split("consumed ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
            Ok((cu, 0, meta.fee))
        }
        Err(e) => Err(format!("{:?} {:?}", e.err, e.meta.logs)),
    }
}

fn main() {
    let path = std::env::args().nth(1).unwrap();
    let elf = std::fs::read(path).unwrap();
    println!("elf {} bytes", elf.len());
    for (name, mut svm) in [("all features", LiteSVM::new()), ("mainnet", LiteSVM::new().with_feature_set(LiteSVM::mainnet_feature_set()))] {
        let id = Pubkey::new_unique();
        if let Err(e) = svm.add_program(id, &elf) { println!("{name}: program not taken: {e:?}"); continue; }
        let payer = Keypair::new();
        svm.airdrop(&payer.pubkey(), 10_000_000_000).unwrap();
        let mut rng = StdRng::seed_from_u64(1);
        let mut cus: std::collections::BTreeMap<u8, Vec<u64>> = Default::default();
        let mut agree = 0;
        for n in 0..40 {
            let mut seed = [0u8; 32];
            rng.fill_bytes(&mut seed);
            let key = SigningKey::from_bytes(&seed);
            let voucher = Voucher { cluster: [n; 32], channel: Pubkey::new_unique(), opened_slot: 7, statement: n as u64, cumulative: 1 << n, statement_digest: [n; 32], expires_at: 1 << 40 };
            let message = voucher.to_bytes();
            let sig = key.sign(&message).to_bytes();
            let data = |mode: u8, sig: &[u8], message: &[u8]| {
                let mut d = vec![mode];
                d.extend_from_slice(key.verifying_key().as_bytes());
                d.extend_from_slice(sig);
                d.extend_from_slice(message);
                d
            };
            for mode in 0..=7 {
                match run(&mut svm, &payer, id, data(mode, &sig, &message)) {
                    Ok((cu, _, fee)) => { cus.entry(mode).or_default().push(cu); if n == 0 { println!("{name} mode {mode}: {cu} CU, fee {fee}"); } }
                    Err(e) => if n == 0 { println!("{name} mode {mode}: {e}") },
                }
            }
            for mode in [6, 7] {
                let mut bad = sig; bad[(n as usize * 7) % 64] ^= 1 << (n % 8);
                let mut other = message; other[n as usize] ^= 1;
                if run(&mut svm, &payer, id, data(mode, &bad, &message)).is_err() && run(&mut svm, &payer, id, data(mode, &sig, &other)).is_err() { agree += 1; }
            }
        }
        for (mode, all) in &cus { println!("{name} mode {mode}: {}..{} CU over {}", all.iter().min().unwrap(), all.iter().max().unwrap(), all.len()); }
        println!("{name}: refused what was changed {agree} of 80");
    }
}
