//! The payments journey on the runtime validators run, with its precompiles and sysvars.

use motif_sdk::{
    channel::{
        self, AcceptTermsArgs, Acceptance, ChannelAccount, Cosigners, Currency, Entry,
        OpenChannelArgs, PaymentsError, Quota, ReceiptsCommitment, Use,
    },
    client::ComputeBudget,
    earnings,
    licensing::{
        Derivatives, InitializeArgs, ModelDeclaration, Offer, ParentShare, Registration, Right,
        Share, Unit, UsePrice, WorkKind, initialize, publish_terms, register_work, terms_digest,
    },
    operator::RegisterOperatorArgs,
    pda,
    voucher::{SignedVoucher, Voucher},
};
use motif_tests::world::{
    CLUSTER, LICENSING_ELF, PAYMENTS_ELF, Person, mint_account, token_account,
};
use solana_account::Account;
use solana_clock::Clock;
use solana_instruction::{Instruction, error::InstructionError};
use solana_program_test::{BanksClientError, ProgramTest, ProgramTestContext};
use solana_pubkey::{Pubkey, pubkey};
use solana_sha256_hasher::hash;
use solana_transaction::{Transaction, TransactionError};

/// Loader whose program accounts contain the bytecode.
const LOADER: Pubkey = pubkey!("BPFLoader2111111111111111111111111111111111");
/// The precompile that verifies signatures of vouchers.
const ED25519: Pubkey = pubkey!("Ed25519SigVerify111111111111111111111111111");
const DEPOSIT: u64 = 1_000_000;
const PRICE: u64 = 100;
/// Price of a compute unit, micro-lamports.
const UNIT_PRICE: u64 = 50_000;
/// Fee of a signature, those that the precompile verifies included.
const SIGNATURE_LAMPORTS: u64 = 5_000;
/// Limit and price stand before the instructions of every transaction.
const BUDGET_CALLS: u8 = 2;

struct Cluster {
    context: ProgramTestContext,
    currency: Currency,
    payer: Person,
    operator: Person,
    voucher_key: Person,
    creators: [Person; 2],
    /// Fees of all transactions that were sent, lamports.
    fees: u64,
}

impl Cluster {
    async fn start() -> Self {
        let mut test = ProgramTest::default();
        test.prefer_bpf(true);
        for (id, elf) in [(licensing::ID, LICENSING_ELF), (payments::ID, PAYMENTS_ELF)] {
            let program = Account {
                lamports: 100_000_000_000,
                data: elf.to_vec(),
                owner: LOADER,
                executable: true,
                rent_epoch: 0,
            };
            test.add_account(id, program);
        }
        let currency = Currency::spl(Pubkey::new_from_array([0xDD; 32]));
        test.add_account(currency.mint, mint_account(&currency.token_program, DEPOSIT));
        let people: [Person; 5] = std::array::from_fn(|number| Person::numbered(number as u64));
        for (number, person) in people.iter().enumerate() {
            test.add_account(person.key(), Person::wealth());
            let tokens = if number == 0 { DEPOSIT } else { 0 };
            let account = token_account(&currency, &person.key(), tokens);
            test.add_account(currency.tokens(&person.key()), account);
        }
        let context = test.start_with_context().await;
        let [payer, operator, voucher_key, one, other] = people;
        Self { context, currency, payer, operator, voucher_key, creators: [one, other], fees: 0 }
    }

    /// Sends a transaction as the SDK does: its unit limit comes from simulation, and it pays a price.
    /// Asserts that the bank charges exactly the fees of its signatures and of its limit.
    async fn try_send(
        &mut self,
        calls: impl IntoIterator<Item = Instruction>,
        signers: &[&Person],
    ) -> Result<(), TransactionError> {
        let calls: Vec<_> = calls.into_iter().collect();
        let blockhash = self.context.get_new_latest_blockhash().await.unwrap();
        let keypairs: Vec<_> = signers.iter().map(|signer| signer.keypair()).collect();
        let payer = signers[0].key();
        let sealed = |budget: ComputeBudget| {
            let calls = budget.before(&calls);
            Transaction::new_signed_with_payer(&calls, Some(&payer), &keypairs, blockhash)
        };
        let bank = &mut self.context.banks_client;
        let widest = sealed(ComputeBudget { units: ComputeBudget::MAX_UNITS, price: UNIT_PRICE });
        let simulated = bank.simulate_transaction(widest).await.unwrap();
        simulated.result.unwrap_or(Ok(()))?;
        let units = simulated.simulation_details.unwrap().units_consumed;
        let budget = ComputeBudget { units: ComputeBudget::limit(units), price: UNIT_PRICE };
        let transaction = sealed(budget);
        let verified = calls.iter().filter(|call| call.program_id == ED25519).count();
        let signatures = (signers.len() + verified) as u64;
        let fee = signatures * SIGNATURE_LAMPORTS + budget.lamports();
        let charged = bank.get_fee_for_message(transaction.message.clone()).await.unwrap();
        assert_eq!(charged, Some(fee), "{signatures} signatures, {units} units");
        self.fees += fee;
        match bank.process_transaction(transaction).await {
            Ok(()) => Ok(()),
            Err(BanksClientError::TransactionError(error)) => Err(error),
            Err(BanksClientError::SimulationError { err, .. }) => Err(err),
            Err(error) => panic!("{error}"),
        }
    }

    async fn lamports(&mut self, address: &Pubkey) -> u64 {
        self.context.banks_client.get_balance(*address).await.unwrap()
    }

    async fn send(&mut self, calls: impl IntoIterator<Item = Instruction>, signers: &[&Person]) {
        self.try_send(calls, signers).await.unwrap();
    }

    async fn data(&mut self, address: &Pubkey) -> Vec<u8> {
        self.context.banks_client.get_account(*address).await.unwrap().unwrap().data
    }

    async fn channel(&mut self) -> ChannelAccount {
        let address = self.channel_address();
        ChannelAccount::from_bytes(&self.data(&address).await).unwrap()
    }

    fn channel_address(&self) -> Pubkey {
        pda::channel(&self.payer.key(), &self.operator.key(), &self.currency.mint, 0)
    }

    async fn balance(&mut self, owner: &Pubkey) -> u64 {
        let data = self.data(&self.currency.tokens(owner)).await;
        u64::from_le_bytes(data[64..72].try_into().unwrap())
    }

    async fn pass(&mut self, seconds: i64) {
        let clock: Clock = self.context.banks_client.get_sysvar().await.unwrap();
        let unix_timestamp = clock.unix_timestamp + seconds;
        let slot = clock.slot + 2 * seconds as u64;
        self.context.set_sysvar(&Clock { unix_timestamp, slot, ..clock });
    }

    /// Registers two works, the second derived from the first, both licensed on an open channel.
    async fn licensed(&mut self) -> [Pubkey; 2] {
        let [one, other] = self.creators.clone();
        let (payer, operator) = (self.payer.clone(), self.operator.clone());
        let args = InitializeArgs {
            cluster: CLUSTER,
            arbiter: operator.key(),
            dispute_bond_lamports: 1_000_000,
            dispute_seconds: 86_400,
        };
        self.send([initialize(&operator.key(), args)], &[&operator]).await;
        let currency = self.currency;
        self.send([channel::create_vault(&operator.key(), &currency)], &[&operator]).await;

        let image = register(&one, &[], &[(&one, 5_000), (&other, 5_000)]);
        let image_address = pda::work(&one.key(), &digest(&one));
        self.send([image], &[&one]).await;
        let parents = [ParentShare { work: image_address, share_bps: 2_000 }];
        let model = register(&other, &parents, &[(&other, 10_000)]);
        let model_address = pda::work(&other.key(), &digest(&other));
        // The parent's terms come first and allow the derivative.
        let publish =
            |owner: &Person, work| publish_terms(&owner.key(), work, 0, &currency.mint, offer());
        self.send([publish(&one, &image_address)], &[&one]).await;
        self.send([model], &[&other]).await;
        self.send([publish(&other, &model_address)], &[&other]).await;

        let args = OpenChannelArgs {
            salt: 0,
            voucher_key: self.voucher_key.key(),
            operator_fee_bps: 100,
            grace_seconds: 3_600,
            deposit: DEPOSIT,
            watcher: None,
        };
        let key = operator.key();
        let register = motif_sdk::operator::register(&key, &key, RegisterOperatorArgs::single(key));
        self.send([register], &[&operator]).await;
        let open = channel::open(&payer.key(), &operator.key(), &currency, args);
        self.send([open], &[&payer]).await;
        for work in [image_address, model_address] {
            let terms = self.data(&pda::terms(&work, 1)).await;
            let acceptance = Acceptance {
                work,
                terms_number: 1,
                approver: None,
                approval: false,
                per_licensee: false,
                shared_caps: false,
                deposit_currency: None,
            };
            let args = AcceptTermsArgs {
                licensed_use: Use::Generate,
                max_price: PRICE,
                terms_digest: terms_digest(&terms),
                quota: Quota::default(),
                min_expires_at: i64::MIN,
            };
            let address = self.channel_address();
            let accept = channel::accept_terms(&payer.key(), &address, &acceptance, args);
            self.send([accept], &[&payer]).await;
        }
        [image_address, model_address]
    }

    /// Returns the instructions that settle these units of the two licenses.
    async fn settlement(&mut self, units: [u32; 2]) -> [Instruction; 2] {
        let state = self.channel().await.channel;
        let statement: Vec<u8> = [0, 1]
            .into_iter()
            .zip(units)
            .flat_map(|(license, units)| Entry { license, units }.to_bytes())
            .collect();
        let prices = units.iter().map(|units| u64::from(*units) * PRICE).sum::<u64>();
        let total = state.prices + prices;
        let voucher = Voucher {
            cluster: CLUSTER,
            channel: self.channel_address(),
            opened_slot: state.opened_slot,
            statement: state.statements.length,
            cumulative: total + total / 100,
            statement_digest: hash(&statement).to_bytes(),
            expires_at: i64::MAX,
        };
        let signed = SignedVoucher::sign(voucher, &self.voucher_key.signing_key());
        let receipts = Some(ReceiptsCommitment { root: [1; 32], sum: prices });
        let operator = self.operator.key();
        channel::settle(&operator, &operator, &signed, statement, receipts)
    }
}

fn digest(creator: &Person) -> [u8; 32] {
    hash(creator.key().as_ref()).to_bytes()
}

fn register(creator: &Person, parents: &[ParentShare], split: &[(&Person, u16)]) -> Instruction {
    let share = |(person, share_bps): &(&Person, u16)| Share {
        recipient: person.key(),
        share_bps: *share_bps,
    };
    let model =
        ModelDeclaration { base_model: "base".into(), training_root: [0; 32], likeness: false };
    let registration = Registration {
        model: Some(model),
        parents: parents.to_vec(),
        split: split.iter().map(share).collect(),
        ..Registration::new(WorkKind::StyleModel, digest(creator), &creator.key())
    };
    let rights = vec![Right::Terms(1); parents.len()];
    register_work(&creator.key(), None, &registration, &rights)
}

fn offer() -> Offer {
    Offer {
        derivatives: Derivatives::Allowed,
        derivative_share_bps: 2_000,
        ..Offer::new(vec![UsePrice {
            licensed_use: Use::Generate,
            unit: Unit::Generation,
            price: PRICE,
        }])
    }
}

#[tokio::test]
async fn priced_journey_runs_on_bank() {
    let mut cluster = Cluster::start().await;
    let [image, model] = cluster.licensed().await;
    let (payer, operator) = (cluster.payer.clone(), cluster.operator.clone());
    let (currency, address) = (cluster.currency, cluster.channel_address());
    let vault = pda::vault(&currency.mint);
    assert_eq!(cluster.balance(&vault).await, DEPOSIT);

    let (before, fees) = (cluster.lamports(&operator.key()).await, cluster.fees);
    for units in [[1, 10], [2, 20], [3, 970]] {
        let settlement = cluster.settlement(units).await;
        cluster.send(settlement, &[&operator]).await;
    }
    // A settlement creates no account: its operator pays the fees, and nothing else.
    let paid = before - cluster.lamports(&operator.key()).await;
    assert_eq!(paid, cluster.fees - fees);
    assert!(paid > 3 * 2 * SIGNATURE_LAMPORTS, "{paid} lamports include a price");
    let state = cluster.channel().await.channel;
    assert_eq!((state.prices, state.fees(), state.statements.length), (100_600, 1_006, 3));

    let mint = currency.mint;
    let open = [image, model].map(|work| earnings::open(&operator.key(), &work, &mint));
    cluster.send(open, &[&operator]).await;
    let collect = channel::collect(&address, &mint, &[(0, image), (1, model)]);
    let pull = earnings::pull(&model, &image, &mint);
    cluster.send([collect, pull], &[&operator]).await;
    let [one, other] = cluster.creators.clone().map(|creator| creator.key());
    let claims = [
        earnings::claim(&image, &one, &currency),
        earnings::claim(&image, &other, &currency),
        earnings::claim(&model, &other, &currency),
        channel::claim_fees(&address, &operator.key(), &operator.key(), &currency),
    ];
    cluster.send(claims, &[&operator]).await;
    // The image earned 600 and a fifth of the model's 100,000.
    assert_eq!(cluster.balance(&one).await, 10_300);
    assert_eq!(cluster.balance(&other).await, 10_300 + 80_000);
    assert_eq!(cluster.balance(&operator.key()).await, 1_006);

    let last = cluster.settlement([1, 1]).await;
    cluster
        .send([channel::request_close(&payer.key(), &Cosigners::default(), &address)], &[&payer])
        .await;
    cluster.send(last, &[&operator]).await;
    let withdraw = channel::withdraw(&payer.key(), &address, &currency);
    let early = cluster.try_send([withdraw.clone()], &[&payer]).await;
    assert_eq!(early, refusal(0, PaymentsError::ChannelStillOpen));
    cluster.pass(3_601).await;
    cluster.send([withdraw], &[&payer]).await;
    assert_eq!(cluster.balance(&payer.key()).await, DEPOSIT - 100_800 - 1_008);
    // The credit of the last statement can still be collected.
    assert_eq!(cluster.balance(&vault).await, 200 + 2);
}

#[tokio::test]
async fn bank_rejects_forged_and_replayed() {
    let mut cluster = Cluster::start().await;
    cluster.licensed().await;
    let operator = cluster.operator.clone();
    let good = cluster.settlement([1, 1]).await;
    let mut forged = good.clone();
    forged[0].data[60] ^= 1;
    let refused = cluster.try_send(forged, &[&operator]).await;
    let by_precompile = InstructionError::Custom(2); // an invalid signature
    assert_eq!(refused, Err(TransactionError::InstructionError(BUDGET_CALLS, by_precompile)));
    assert_eq!(cluster.channel().await.channel.prices, 0);

    cluster.send(good.clone(), &[&operator]).await;
    let replayed = cluster.try_send(good.clone(), &[&operator]).await;
    assert_eq!(replayed, refusal(1, PaymentsError::VoucherStatementMismatch));
    let [_, settle] = good;
    let without = cluster.try_send([settle], &[&operator]).await;
    assert_eq!(without, refusal(0, PaymentsError::MissingVoucherProof));
    assert_eq!(cluster.channel().await.channel.prices, 200);
}

fn refusal(instruction: u8, error: PaymentsError) -> Result<(), TransactionError> {
    let code = InstructionError::Custom(error.into());
    Err(TransactionError::InstructionError(BUDGET_CALLS + instruction, code))
}
