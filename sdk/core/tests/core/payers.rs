//! Random histories of a payer, whose effects a small host executes.

use std::collections::BTreeMap;

use base64::{Engine, prelude::BASE64_STANDARD};
use ed25519_dalek::Signer;
use motif_interface::channel::{Channel, ChannelAccount};
use motif_payer::Request;
use motif_wire::ProblemType;
use serde_json::{Value, json};

use crate::{
    gateway::{CHANNEL, End, Gateway, NOW, account, voucher_key},
    golden::core,
    module::Pair,
    random::{Random, cases},
};

/// Returns the data of a channel's account.
pub fn data(account: &ChannelAccount) -> String {
    let mut data = Channel::DISCRIMINATOR.to_vec();
    data.extend_from_slice(bytemuck::bytes_of(&account.channel));
    for license in &account.licenses {
        data.extend_from_slice(bytemuck::bytes_of(license));
    }
    BASE64_STANDARD.encode(data)
}

/// Process with a payer and its state file.
pub struct Host {
    pub core: Pair,
    pub payer: Value,
    file: Vec<u8>,
    next_ticket: u64,
    /// Results by ticket: receipts, or the type of the error.
    pub results: BTreeMap<u64, Value>,
}

impl Host {
    pub fn new(policy: Value) -> Self {
        let mut core = core();
        let account = data(&account());
        let channel = CHANNEL.to_string();
        let new = json!({
            "channel": channel, "account": account, "policy": policy, "is_kept": true,
        });
        let payer = core.ok("payer.new", new)["payer"].take();
        let (file, results) = (Vec::new(), BTreeMap::new());
        let mut host = Self { core, payer, file, next_ticket: 0, results };
        host.rewrite();
        host
    }

    pub fn ok(&mut self, name: &str, mut arguments: Value) -> Value {
        arguments["payer"] = self.payer.clone();
        self.core.ok(name, arguments)
    }

    fn rewrite(&mut self) {
        let snapshot = json!({ "payer": self.payer });
        self.file = self.core.call_with("payer.snapshot", snapshot, &[]).1;
    }

    /// Ends the process, and starts another one on its file.
    pub fn restart(&mut self) {
        self.ok("payer.free", json!({}));
        let (channel, account) = (CHANNEL.to_string(), data(&account()));
        let load = json!({ "channel": channel, "account": account });
        self.payer = self.core.ok_with("payer.load", load, &self.file)["payer"].take();
        assert!(self.payer.is_u64());
    }

    pub fn pay(&mut self, uses: &[(u16, u32)], tag: Option<&str>) -> u64 {
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        let one = |(license, units): &(u16, u32)| {
            json!({
                "license": license,
                "units": units,
                "request_digest": format!("{ticket:064x}"),
                "output_digest": "01".repeat(32),
            })
        };
        let generations: Vec<_> = uses.iter().map(one).collect();
        self.ok("payer.pay", json!({ "ticket": ticket, "generations": generations, "tag": tag }));
        ticket
    }

    fn reply(&mut self, ticket: &Value, result: Value) {
        if let Some(ticket) = ticket.as_u64() {
            let replied = self.results.insert(ticket, result);
            assert_eq!(replied, None, "ticket {ticket} had a result");
        }
    }

    fn reply_all(&mut self, tickets: &Value, result: &Value) {
        for ticket in tickets.as_array().unwrap() {
            self.reply(ticket, result.clone());
        }
    }

    /// Compares the payer with the gateway; returns whether it trusts it.
    pub fn compare(&mut self, gateway: &Gateway) -> bool {
        let compare = json!({ "payer": self.payer, "state": gateway.state() });
        let mut compared = self.core.call("payer.compare", compare);
        let effects = compared["ok"]["effects"].take();
        let is_trusted = effects.is_array();
        for effect in effects.as_array().into_iter().flatten() {
            self.save(effect);
        }
        is_trusted
    }

    fn save(&mut self, effect: &Value) {
        assert_eq!(effect["effect"], "save");
        self.file.extend(BASE64_STANDARD.decode(effect["frame"].as_str().unwrap()).unwrap());
    }

    /// Executes effects until nothing waits, or the process ends; returns whether it has ended.
    /// `garble` changes the gateway's answers.
    pub fn run(
        &mut self,
        gateway: &mut Gateway,
        end: End,
        mut garble: impl FnMut(u16, Vec<u8>) -> (u16, Vec<u8>),
    ) -> bool {
        let resend = self.ok("payer.resend", json!({}))["request"].take();
        let mut queue = if resend.is_null() {
            self.next()
        } else {
            self.ok("payer.lose_answer", json!({}));
            vec![json!({ "effect": "send", "key": resend["key"], "body": resend["body"] })]
        };
        for _ in 0..2_000 {
            if queue.is_empty() {
                queue = self.next();
            }
            if queue.is_empty() {
                return false;
            }
            let effect = queue.remove(0);
            let more = match effect["effect"].as_str().unwrap() {
                "sign" => {
                    let message = hex::decode(effect["message"].as_str().unwrap()).unwrap();
                    let signature = hex::encode(voucher_key().sign(&message).to_bytes());
                    self.ok("payer.signed", json!({ "signature": signature }))["effects"].take()
                }
                "save" => {
                    self.save(&effect);
                    json!([])
                }
                "send" if end == End::BeforeSending => return true,
                "send" => {
                    let (key, body) = (text(&effect["key"]), text(&effect["body"]).into_bytes());
                    let (status, body) = gateway.serve(&Request { key, body });
                    if end == End::BeforeAnswer {
                        return true;
                    }
                    let (status, body) = garble(status, body);
                    let arguments = json!({ "payer": self.payer, "status": status, "now": NOW });
                    let mut answer = self.core.call_with("payer.answered", arguments, &body).0;
                    if end == End::BeforeSaving {
                        return true;
                    }
                    match answer.get("error") {
                        None => answer["ok"]["effects"].take(),
                        Some(_) => self.ok("payer.give_up", json!({}))["effects"].take(),
                    }
                }
                "paid" => {
                    self.reply(&effect["ticket"], effect["receipts"].clone());
                    json!([])
                }
                "failed" => {
                    self.reply(&effect["ticket"], effect["error"]["type"].clone());
                    json!([])
                }
                "compare" => {
                    self.compare(gateway);
                    json!([])
                }
                other => panic!("unknown effect {other}"),
            };
            queue.splice(0..0, more.as_array().unwrap().iter().cloned());
            let is_stuck = self.ok("payer.status", json!({}))["is_unanswered"] == true;
            if queue.is_empty() && is_stuck {
                // The outcome is unknown: the next run repeats the request first.
                return false;
            }
        }
        panic!("the payer does not come to rest");
    }

    fn next(&mut self) -> Vec<Value> {
        let effects = self.ok("payer.next", json!({ "now": NOW }))["effects"].take();
        effects.as_array().unwrap().clone()
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn as_is(status: u16, body: Vec<u8>) -> (u16, Vec<u8>) {
    (status, body)
}

const REFUSALS: [ProblemType; 7] = [
    ProblemType::RateLimited,
    ProblemType::Underfunded,
    ProblemType::BatchItems,
    ProblemType::StoreFailed,
    ProblemType::UnitCap,
    ProblemType::Exposed,
    ProblemType::ChannelClosing,
];

/// One random event.
fn step(host: &mut Host, gateway: &mut Gateway, backups: &mut Vec<Gateway>, random: &mut Random) {
    let event = random.below(20);
    println!("event {event}: {} statements, {} base units", gateway.statements(), gateway.total());
    match event {
        0..=7 => {
            let count = 1 + random.below(3);
            let uses: Vec<_> =
                (0..count).map(|_| (random.below(3) as u16, 1 + random.below(4) as u32)).collect();
            host.pay(&uses, random.of(&[None, None, Some("ann"), Some("bob")]));
        }
        8..=12 => {
            host.run(gateway, End::Never, as_is);
        }
        13 => {
            let refusal = random.of(&REFUSALS);
            let items = vec![0; usize::from(refusal == ProblemType::BatchItems)];
            gateway.refusals.push((refusal, items));
            host.run(gateway, End::Never, as_is);
            gateway.refusals.clear();
        }
        14 => {
            let wrong = random.below(4);
            host.run(gateway, End::Never, |status, body| match wrong {
                0 => (status, b"<html>".to_vec()),
                1 => (502, body),
                2 => (200, b"{\"receipts\":[]}".to_vec()),
                _ => (status, String::from_utf8(body).unwrap().replace('1', "2").into_bytes()),
            });
        }
        15 => {
            let ends = [End::BeforeSending, End::BeforeAnswer, End::BeforeSaving];
            host.run(gateway, random.of(&ends), as_is);
            host.restart();
            host.run(gateway, End::Never, as_is);
        }
        16 => gateway.cut_used(),
        17 => {
            // The gateway restarts from a backup, and has lost what came after it.
            let place = random.below(backups.len() as u64) as usize;
            *gateway = backups[place].clone();
            backups.truncate(place + 1);
            host.restart();
            assert!(host.compare(gateway));
            host.run(gateway, End::Never, as_is);
        }
        18 => {
            let kept = host.ok("payer.receipts", json!({}))["receipts"].take();
            if let Some(first) = kept.get(0) {
                let forgotten =
                    host.ok("payer.forget_receipts", json!({ "through": first["number"] }));
                host.save(&forgotten["effects"][0]);
            }
        }
        _ => {
            host.ok("payer.spent_on", json!({ "day": NOW / 86_400, "tag": "ann" }));
            host.ok("payer.refresh", json!({ "account": data(&account()) }));
            let dropped = host.ok("payer.drop_waiting", json!({}))["tickets"].take();
            host.reply_all(&dropped, &json!("dropped"));
            host.rewrite();
        }
    }
    if backups.len() < 40 {
        backups.push(gateway.clone());
    }
}

#[test]
fn random_histories_equal_native() {
    let mut random = Random::new(5);
    let (mut left, mut paid) = (cases(400), 0);
    while left > 0 {
        let mut host = Host::new(json!({}));
        let mut gateway = Gateway::new();
        let mut backups = vec![gateway.clone()];
        for _ in 0..left.min(100) {
            step(&mut host, &mut gateway, &mut backups, &mut random);
        }
        left -= left.min(100);
        // What is in doubt is settled, and both sides agree.
        for _ in 0..3 {
            host.run(&mut gateway, End::Never, as_is);
        }
        let status = host.ok("payer.status", json!({}));
        assert_eq!(status["cumulative"], gateway.total().to_string(), "{status}");
        assert_eq!((&status["has_doubts"], &status["waiting"]), (&json!(false), &json!(0)));
        paid += host.results.values().filter(|result| result.is_array()).count();
    }
    assert!(paid > 40, "{paid} were paid");
}

#[test]
fn budget_error_carries_amounts() {
    let mut host = Host::new(json!({ "budget": "101" }));
    let ticket = host.pay(&[(0, 1)], None);
    let effects = host.ok("payer.next", json!({ "now": NOW }));
    let failed = &effects["effects"][0];
    assert_eq!((&failed["effect"], &failed["ticket"]), (&json!("failed"), &json!(ticket)));
    assert_eq!(failed["error"]["type"], "over-budget");
    assert_eq!(failed["error"]["total"], "102");
    assert_eq!(failed["error"]["budget"], "101");
}

#[test]
fn state_file_of_other_channel_is_rejected() {
    let mut host = Host::new(json!({}));
    let channel = "8qbHbw2BbbTHBW1sbeqakYXVKRQM8Ne7pLK7m6CVfeR";
    let load = json!({ "channel": "1".repeat(32), "account": data(&account()) });
    let file = host.file.clone();
    let refused = host.core.call_with("payer.load", load, &file).0;
    assert_eq!(refused["error"]["reason"], "other-channel", "{channel}");
    let load = json!({ "channel": channel, "account": data(&account()) });
    let empty = host.core.ok_with("payer.load", load, &file[..20]);
    assert_eq!(empty["payer"], Value::Null);
}

#[test]
fn unknown_handle_is_rejected() {
    let mut core = core();
    assert_eq!(core.error("payer.next", json!({ "payer": 7, "now": 1 }), &[]), "unknown-payer");
}

#[test]
fn transient_refusal_is_recognized() {
    let mut core = core();
    for (problem_type, expected) in
        [(ProblemType::RateLimited, true), (ProblemType::UnitCap, false)]
    {
        let problem = json!({
            "type": problem_type, "title": "", "status": problem_type.status(), "detail": "",
        });
        let status = json!({ "status": problem_type.status() });
        let body = problem.to_string();
        let told = core.ok_with("payer.is_transient", status, body.as_bytes());
        assert_eq!(told["is_transient"], expected);
    }
}
