//! Valid calls of every instruction: one, or several if an optional account or another
//! right changes the accounts.

use licensing::{InitializeArgs, UpdateConfigArgs};
use motif_sdk::{
    channel::{self, Cosigners},
    earnings,
    licensing::{
        self as sdk, ModelDeclaration, OpenDisputeArgs, ProposeSplitArgs, Purpose, Right, Share,
        UpdateMetadataArgs, Verdict, WorkKind,
    },
    operator::{self, OperatorKey, OperatorTerms, RegisterOperatorArgs},
    till,
};
use motif_tests::world::{CLUSTER, RegisteredWork, World};
use solana_compute_budget_interface::ComputeBudgetInstruction;
use solana_instruction::Instruction;

use super::stage::Stage;

/// Prepares the stage for a valid call and returns the call.
pub type Good = fn(&mut Stage) -> Vec<Instruction>;

/// Valid call: program, instruction, variant and call.
pub type Known = (&'static str, &'static str, &'static str, Good);

/// The matrix test fails if an instruction is missing here.
pub const CALLS: &[Known] = &[
    ("licensing", "initialize", "", initialize),
    ("licensing", "update_metadata", "", update_metadata),
    ("licensing", "update_config", "", update_config),
    ("licensing", "offer_authority", "", offer_authority),
    ("licensing", "accept_authority", "", accept_authority),
    ("licensing", "register_work", "a voice of four parents, each by another right", register_work),
    ("licensing", "register_work", "a model that replaces one", register_model),
    ("licensing", "publish_terms", "", publish_terms),
    ("licensing", "grant_approval", "", approve),
    ("licensing", "revoke_approval", "", revoke_approval),
    ("licensing", "offer_ownership", "", offer_ownership),
    ("licensing", "accept_ownership", "", accept_ownership),
    ("licensing", "propose_split", "", propose_split),
    ("licensing", "extend_split_change", "", extend_split_change),
    ("licensing", "approve_split_change", "", approve_split_change),
    ("licensing", "revoke_split_approval", "", revoke_split_approval),
    ("licensing", "apply_split_change", "", apply_split_change),
    ("licensing", "cancel_split_change", "", cancel_split_change),
    ("licensing", "withdraw_work", "", withdraw_work),
    ("licensing", "open_dispute", "", open_dispute),
    ("licensing", "decide_dispute", "", decide_dispute),
    ("licensing", "expire_dispute", "", expire_dispute),
    ("licensing", "set_consent_end", "", set_consent_end),
    ("licensing", "issue_certificate", "", issue_certificate),
    ("payments", "create_vault", "", create_vault),
    ("payments", "register_operator", "", register_operator),
    ("payments", "update_operator", "", update_operator),
    ("payments", "rotate_operator_key", "", rotate_operator_key),
    ("payments", "open_channel", "", open_channel),
    ("payments", "top_up", "", top_up),
    ("payments", "accept_terms", "the owner signs", accept),
    ("payments", "accept_terms", "the owner approved before", accept_as_approved),
    ("payments", "accept_terms", "an upfront fee", accept_for_fee),
    ("payments", "settle", "2 licenses", settle),
    ("payments", "settle_cosigned", "2 licenses", settle_cosigned),
    ("payments", "create_statement_buffer", "", create_statement_buffer),
    ("payments", "write_statement_buffer", "", write_statement_buffer),
    ("payments", "settle_buffered", "2 licenses", settle_buffered),
    ("payments", "close_statement_buffer", "", close_statement_buffer),
    ("payments", "open_earnings", "", open_earnings),
    ("payments", "collect", "2 licenses", collect),
    ("payments", "pull", "", pull),
    ("payments", "claim", "two recipients", claim),
    ("payments", "claim", "to where the recipient says", claim_elsewhere),
    ("payments", "apply_split", "", apply_split),
    ("payments", "apply_dispute", "", apply_dispute),
    ("payments", "apply_withdrawal", "2 licenses", apply_withdrawal),
    ("payments", "release_quota", "", release_quota),
    ("payments", "claim_fees", "", claim_fees),
    ("payments", "rotate_voucher_key", "", rotate_voucher_key),
    ("payments", "open_till", "", open_till),
    ("payments", "sweep_till", "", sweep_till),
    ("payments", "request_close", "by both parties and the watcher", request_close),
    ("payments", "withdraw", "", withdraw),
    ("payments", "close_channel", "", close_channel),
];

fn initialize(stage: &mut Stage) -> Vec<Instruction> {
    stage.world = World::without_config();
    stage.fee_payer = stage.world.person();
    let authority = stage.world.person();
    let args = InitializeArgs {
        cluster: CLUSTER,
        arbiter: authority.key(),
        dispute_bond_lamports: 1_000_000,
        dispute_seconds: 86_400,
    };
    vec![sdk::initialize(&authority.key(), args)]
}

fn update_config(stage: &mut Stage) -> Vec<Instruction> {
    let args = UpdateConfigArgs {
        arbiter: stage.world.person().key(),
        dispute_bond_lamports: 2_000_000,
        dispute_seconds: 2 * 86_400,
    };
    vec![sdk::update_config(&stage.world.host.key(), args)]
}

fn offer_authority(stage: &mut Stage) -> Vec<Instruction> {
    let to = Some(stage.world.person().key());
    vec![sdk::offer_authority(&stage.world.host.key(), to)]
}

fn accept_authority(stage: &mut Stage) -> Vec<Instruction> {
    let accepter = stage.world.person().key();
    let host = stage.world.host.key();
    stage.happen(sdk::offer_authority(&host, Some(accepter)));
    vec![sdk::accept_authority(&accepter)]
}

/// A voice of four parents, each by another right.
fn register_work(stage: &mut Stage) -> Vec<Instruction> {
    let [family, other] = stage.families.clone();
    // The creator has a used license and an approval.
    let creator = family.channel.payer.clone();
    let approve = |work: &RegisteredWork| {
        let owner = work.creator.key();
        sdk::grant_approval(&owner, &work.address, 1, &creator.key(), Purpose::Derivative)
    };
    stage.happen(approve(&other.child));
    let person = stage.world.person();
    let license = Right::License { terms_number: 1, channel: family.channel.address, index: 1 };
    let work = stage.world.work().by(&creator).of(&person);
    let work = work.with(|work| work.kind = WorkKind::Voice);
    let work = work.parent(&family.child, 1_000);
    let work = work.parent_by(&other.parent, 1_000, Right::Terms(1));
    let work = work.parent_by(&other.child, 1_000, Right::Approval(1));
    work.parent_by(&family.parent, 1_000, license).call().instructions
}

/// A model that replaces another one.
fn register_model(stage: &mut Stage) -> Vec<Instruction> {
    let model = || {
        Some(ModelDeclaration {
            base_model: "base".to_string(),
            training_root: [7; 32],
            likeness: false,
        })
    };
    let replaced = stage.world.work().with(|work| {
        work.kind = WorkKind::StyleModel;
        work.model = model();
    });
    let replaced = replaced.register();
    let work = stage.world.work().by(&replaced.creator).with(|work| {
        work.kind = WorkKind::StyleModel;
        work.model = model();
        work.previous_model = Some(replaced.address);
        work.content_digest = [0x51; 32];
    });
    work.call().instructions
}

fn publish_terms(stage: &mut Stage) -> Vec<Instruction> {
    let family = stage.family();
    stage.world.terms(&family.child).call().instructions
}

fn approve(stage: &mut Stage) -> Vec<Instruction> {
    let (child, grantee) = (stage.family().child, stage.world.person().key());
    let owner = child.creator.key();
    vec![sdk::grant_approval(&owner, &child.address, 1, &grantee, Purpose::License)]
}

fn revoke_approval(stage: &mut Stage) -> Vec<Instruction> {
    let family = stage.family();
    let (owner, grantee) = (family.child.creator.key(), family.grantee.key());
    let work = &family.child.address;
    // Granted by an earlier owner, so that grantor and owner differ.
    let heir = stage.world.person().key();
    stage.happen(sdk::offer_ownership(&owner, work, Some(heir)));
    let as_read = stage.as_read(&family.child);
    stage.happen(sdk::accept_ownership(&heir, work, as_read));
    vec![sdk::revoke_approval(&heir, work, 1, &grantee, Purpose::License, &owner)]
}

fn offer_ownership(stage: &mut Stage) -> Vec<Instruction> {
    let (child, to) = (stage.family().child, stage.world.person().key());
    vec![sdk::offer_ownership(&child.creator.key(), &child.address, Some(to))]
}

fn accept_ownership(stage: &mut Stage) -> Vec<Instruction> {
    let (child, accepter) = (stage.family().child, stage.world.person().key());
    stage.happen(sdk::offer_ownership(&child.creator.key(), &child.address, Some(accepter)));
    vec![sdk::accept_ownership(&accepter, &child.address, stage.as_read(&child))]
}

fn propose_split(stage: &mut Stage) -> Vec<Instruction> {
    let child = stage.family().child;
    let share = Share { recipient: child.recipients[0].key(), share_bps: 10_000 };
    let args = ProposeSplitArgs { recipients: 1, expires_at: None, shares: vec![share] };
    vec![sdk::propose_split(&child.creator.key(), &child.address, args)]
}

fn extend_split_change(stage: &mut Stage) -> Vec<Instruction> {
    let child = stage.family().child;
    let args = ProposeSplitArgs { recipients: 1, expires_at: None, shares: vec![] };
    stage.happen(sdk::propose_split(&child.creator.key(), &child.address, args));
    let share = Share { recipient: child.recipients[0].key(), share_bps: 10_000 };
    vec![sdk::extend_split_change(&child.creator.key(), &child.address, &[share])]
}

fn approve_split_change(stage: &mut Stage) -> Vec<Instruction> {
    let family = stage.family();
    let loser = family.parent.recipients[1].key();
    vec![sdk::approve_split_change(&loser, &family.parent.address, &family.proposed)]
}

fn revoke_split_approval(stage: &mut Stage) -> Vec<Instruction> {
    let approve = approve_split_change(stage).remove(0);
    stage.happen(approve);
    let family = stage.family();
    let loser = family.parent.recipients[1].key();
    vec![sdk::revoke_split_approval(&loser, &family.parent.address)]
}

fn apply_split_change(stage: &mut Stage) -> Vec<Instruction> {
    let approve = approve_split_change(stage).remove(0);
    stage.happen(approve);
    let (parent, payer) = (stage.family().parent, stage.world.person().key());
    vec![sdk::apply_split_change(&payer, &parent.address, &parent.creator.key())]
}

fn cancel_split_change(stage: &mut Stage) -> Vec<Instruction> {
    let parent = stage.family().parent;
    let (owner, heir) = (parent.creator.key(), stage.world.person().key());
    stage.happen(sdk::offer_ownership(&owner, &parent.address, Some(heir)));
    let as_read = stage.as_read(&parent);
    stage.happen(sdk::accept_ownership(&heir, &parent.address, as_read));
    vec![sdk::cancel_split_change(&heir, &parent.address, &owner)]
}

fn update_metadata(stage: &mut Stage) -> Vec<Instruction> {
    let child = stage.family().child;
    let new = UpdateMetadataArgs {
        title: "A title".into(),
        metadata_uri: String::new(),
        metadata_digest: [0; 32],
    };
    vec![sdk::update_metadata(&child.creator.key(), &child.address, new)]
}

fn withdraw_work(stage: &mut Stage) -> Vec<Instruction> {
    let child = stage.family().child;
    vec![sdk::withdraw_work(&child.creator.key(), &child.address)]
}

fn open_dispute(stage: &mut Stage) -> Vec<Instruction> {
    let (child, claimant) = (stage.family().child, stage.world.person().key());
    let args = OpenDisputeArgs {
        evidence_uri: String::new(),
        evidence_digest: [1; 32],
        max_bond: u64::MAX,
    };
    vec![sdk::open_dispute(&claimant, &child.address, args)]
}

fn decide_dispute(stage: &mut Stage) -> Vec<Instruction> {
    let family = stage.family();
    let (owner, claimant) = (family.disputed.creator.key(), family.claimant.key());
    let (arbiter, work) = (stage.world.host.key(), &family.disputed.address);
    vec![sdk::decide_dispute(&arbiter, work, &owner, &claimant, Verdict::Rejected)]
}

fn expire_dispute(stage: &mut Stage) -> Vec<Instruction> {
    let family = stage.family();
    stage.world.pass(61 * 86_400);
    let (owner, claimant) = (family.disputed.creator.key(), family.claimant.key());
    vec![sdk::expire_dispute(&family.disputed.address, &owner, &claimant)]
}

fn set_consent_end(stage: &mut Stage) -> Vec<Instruction> {
    let family = stage.family();
    let end = Some(stage.world.now() + 1);
    vec![sdk::set_consent_end(&family.person.key(), &family.voice.address, end)]
}

fn issue_certificate(stage: &mut Stage) -> Vec<Instruction> {
    let child = stage.family().child;
    let budget = ComputeBudgetInstruction::set_compute_unit_limit(1_000_000);
    vec![budget, sdk::issue_certificate(&child.creator.key(), &child.address, "A work")]
}

fn create_vault(stage: &mut Stage) -> Vec<Instruction> {
    let currency = stage.world.mint_of(&channel::TOKEN_PROGRAM);
    vec![channel::create_vault(&stage.world.person().key(), &currency)]
}

fn register_operator(stage: &mut Stage) -> Vec<Instruction> {
    let (funder, authority) = (stage.world.person().key(), stage.world.person().key());
    vec![operator::register(&funder, &authority, RegisterOperatorArgs::single(authority))]
}

fn update_operator(stage: &mut Stage) -> Vec<Instruction> {
    let authority = stage.family().channel.operator.key();
    vec![operator::update(&authority, OperatorTerms::new(authority))]
}

fn rotate_operator_key(stage: &mut Stage) -> Vec<Instruction> {
    let authority = stage.family().channel.operator.key();
    let new_key = stage.world.person().key();
    vec![operator::rotate_key(&authority, OperatorKey::Settle, new_key)]
}

fn open_channel(stage: &mut Stage) -> Vec<Instruction> {
    stage.world.channel().call().0.instructions
}

fn top_up(stage: &mut Stage) -> Vec<Instruction> {
    let channel = stage.family().channel;
    let currency = stage.world.currency;
    stage.world.fund(&channel.payer, &currency, 1_000);
    channel.topping_up(1_000).instructions
}

/// Returns an acceptance on a new channel without a license of these terms.
fn accept(stage: &mut Stage) -> Vec<Instruction> {
    let (family, channel) = (stage.family(), stage.world.channel().open());
    stage.world.fund_quota(&channel, &family.capped, 10, 1_000);
    let accepting = channel.accepting(&family.capped).quota(10, 1_000);
    accepting.approved_by(&family.child.creator).call().instructions
}

fn accept_as_approved(stage: &mut Stage) -> Vec<Instruction> {
    let family = stage.family();
    let channel = stage.world.channel().payer(&family.grantee).open();
    stage.world.fund_quota(&channel, &family.capped, 10, 1_000);
    channel.accepting(&family.capped).quota(10, 1_000).granted().call().instructions
}

fn accept_for_fee(stage: &mut Stage) -> Vec<Instruction> {
    let channel = stage.family().channel;
    let work = stage.world.work().register();
    let terms = stage.world.terms(&work).with(|offer| offer.upfront_fee = 40).publish();
    let currency = stage.world.currency;
    stage.world.fund(&channel.payer, &currency, 40);
    channel.accepting(&terms).call().instructions
}

fn settle(stage: &mut Stage) -> Vec<Instruction> {
    let channel = stage.family().channel;
    stage.world.statement(&channel, &[(0, 1), (1, 1)]).call().instructions
}

fn settle_cosigned(stage: &mut Stage) -> Vec<Instruction> {
    let channel = stage.family().channel;
    stage.world.statement(&channel, &[(0, 1), (1, 1)]).cosigned_call().instructions
}

fn create_statement_buffer(stage: &mut Stage) -> Vec<Instruction> {
    let (channel, settler) = (stage.family().channel, stage.world.person().key());
    channel::buffer_statement(&settler, &channel.address, &[])
}

fn write_statement_buffer(stage: &mut Stage) -> Vec<Instruction> {
    let channel = stage.family().channel;
    vec![channel::write_statement_buffer(&channel.operator.key(), &channel.address, 0, vec![7; 18])]
}

fn settle_buffered(stage: &mut Stage) -> Vec<Instruction> {
    let channel = stage.family().channel;
    stage.world.statement(&channel, &[(0, 1), (1, 1)]).buffered_call().instructions
}

fn close_statement_buffer(stage: &mut Stage) -> Vec<Instruction> {
    let channel = stage.family().channel;
    vec![channel::close_statement_buffer(&channel.operator.key(), &channel.address)]
}

fn open_earnings(stage: &mut Stage) -> Vec<Instruction> {
    let (work, funder) = (stage.world.work().register(), stage.world.person().key());
    vec![earnings::open(&funder, &work.address, &stage.world.currency.mint)]
}

fn collect(stage: &mut Stage) -> Vec<Instruction> {
    let family = stage.family();
    let licenses = [(0, &family.child), (1, &family.parent)];
    family.channel.collecting(&licenses).instructions
}

fn pull(stage: &mut Stage) -> Vec<Instruction> {
    let family = stage.family();
    let mint = stage.world.currency.mint;
    vec![earnings::pull(&family.child.address, &family.parent.address, &mint)]
}

fn claim(stage: &mut Stage) -> Vec<Instruction> {
    let child = stage.family().child;
    let payees: Vec<_> = (1..).zip(child.recipients.iter().map(|person| person.key())).collect();
    vec![earnings::claim_batch(&child.address, &payees, &stage.world.currency)]
}

fn claim_elsewhere(stage: &mut Stage) -> Vec<Instruction> {
    let (child, currency) = (stage.family().child, stage.world.currency);
    let elsewhere = currency.tokens(&stage.world.person().key());
    let recipient = child.recipients[0].key();
    vec![earnings::claim_to(&child.address, &recipient, &currency, elsewhere)]
}

fn apply_split(stage: &mut Stage) -> Vec<Instruction> {
    let change = apply_split_change(stage).remove(0);
    stage.happen(change);
    let (parent, funder) = (stage.family().parent, stage.world.person().key());
    vec![earnings::apply_split(&funder, &parent.address, &stage.world.currency.mint)]
}

fn apply_dispute(stage: &mut Stage) -> Vec<Instruction> {
    let open = open_dispute(stage).remove(0);
    stage.happen(open);
    let child = stage.family().child;
    vec![earnings::apply_dispute(&child.address, &stage.world.currency.mint)]
}

fn apply_withdrawal(stage: &mut Stage) -> Vec<Instruction> {
    let family = stage.family();
    for work in [&family.child, &family.parent] {
        stage.happen(sdk::withdraw_work(&work.creator.key(), &work.address));
    }
    let licenses = [(0, &family.child), (1, &family.parent)];
    family.channel.applying_withdrawal(&licenses).instructions
}

fn release_quota(stage: &mut Stage) -> Vec<Instruction> {
    let family = stage.family();
    family.channel.releasing_quota_together(0, &family.capped).instructions
}

fn claim_fees(stage: &mut Stage) -> Vec<Instruction> {
    stage.family().channel.claiming_fees().instructions
}

fn rotate_voucher_key(stage: &mut Stage) -> Vec<Instruction> {
    let (watcher, new_key) = (stage.world.person(), stage.world.person());
    let channel = stage.world.channel().watched_by(&watcher).open();
    let agreed = Cosigners { party: Some(channel.operator.key()), watcher: Some(watcher.key()) };
    let payer = channel.payer.key();
    vec![channel::rotate_voucher_key(&payer, &agreed, &channel.address, new_key.key())]
}

fn open_till(stage: &mut Stage) -> Vec<Instruction> {
    let (parent, funder) = (stage.family().parent, stage.world.person().key());
    vec![till::open(&funder, &parent.till(), &stage.world.currency)]
}

fn sweep_till(stage: &mut Stage) -> Vec<Instruction> {
    let child = stage.family().child;
    stage.world.pay_into_till(&child, 1_000);
    vec![till::sweep(&child.till(), &stage.world.currency, None)]
}

fn request_close(stage: &mut Stage) -> Vec<Instruction> {
    let watcher = stage.world.person();
    let channel = stage.world.channel().watched_by(&watcher).open();
    channel.closing_at_once_with(&watcher).instructions
}

fn withdraw(stage: &mut Stage) -> Vec<Instruction> {
    let channel = stage.world.channel().open();
    stage.world.send(channel.closing_at_once()).assert_ok();
    channel.withdrawing().instructions
}

fn close_channel(stage: &mut Stage) -> Vec<Instruction> {
    let channel = stage.world.channel().open();
    for call in [channel.closing_at_once(), channel.withdrawing()] {
        stage.world.send(call).assert_ok();
    }
    stage.world.next_slot();
    channel.removing().instructions
}
