//! Commands of the creators' guide (`docs/licensing.md`), in order, on one localnet.

use std::fs;

use serde_json::Value;

use crate::world::World;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
const PEOPLE: [&str; 6] =
    ["nova.json", "kai.json", "fan.json", "shop.json", "ines.json", "gateway.json"];

/// Commands of the guide, by section.
struct Guide(Vec<(String, Vec<String>)>);

impl Guide {
    fn read() -> Self {
        let text = fs::read_to_string(format!("{ROOT}/docs/licensing.md")).unwrap();
        let mut sections: Vec<(String, Vec<String>)> = Vec::new();
        let mut inside = false;
        for line in text.lines() {
            if let Some(title) = line.strip_prefix("## ") {
                sections.push((title.to_owned(), Vec::new()));
            } else if line == "```sh" || line == "```" {
                inside = line == "```sh";
            } else if inside {
                sections.last_mut().unwrap().1.push(line.to_owned());
            }
        }
        Self(sections)
    }

    /// Returns the commands of the next section.
    fn next(&mut self, title: &str) -> Vec<String> {
        let (found, commands) = self.0.remove(0);
        assert_eq!(found, title);
        commands
    }
}

fn run(world: &World, commands: &[String]) -> Vec<String> {
    commands.iter().map(|command| world.shell(command)).collect()
}

fn show(world: &World, work: &str) -> Value {
    world.does(&["work", "show", work])
}

fn address(world: &World, keypair: &str) -> String {
    let shown = world.does(&["key", "show", keypair]);
    shown[0]["address"].as_str().unwrap().to_owned()
}

/// Returns what a recipient was paid by a claim.
fn claimed(claim: &Value, position: usize, recipient: &str) -> u64 {
    let recipients = claim["works"][position]["recipients"].as_array().unwrap().iter();
    let mut paid = recipients.filter(|one| one["recipient"] == recipient);
    paid.next().map_or(0, |one| one["claimed"].as_u64().unwrap())
}

#[test]
fn creators_guide_works_as_written() {
    let mut guide = Guide::read();
    let mut world = World::empty();
    prepare(&mut world, &guide.next("Before you begin"));
    register(&world, &guide.next("Register"));
    sell(&world, &guide.next("Sell a song made with a licensed voice"));
    name(&world, &guide.next("Name it"));
    look_up(&world, &guide.next("Look things up"));
    change_split(&world, &guide.next("Change who earns"));
    approve(&world, &guide.next("Approve, case by case"));
    hand_over(&world, &guide.next("Hand a work over"));
    withdraw(&world, &guide.next("End a consent, withdraw a work"));
    dispute(&world, &guide.next("Claim a work that another account registered"));
    certify(&world, &guide.next("Show a certificate"));
    administer(&world, &guide.next("Administer the deployment"));
    assert!(guide.0.is_empty(), "untested section");
}

/// Starts the processes of the guide's first block, which run in the background.
fn prepare(world: &mut World, commands: &[String]) {
    assert!(
        commands[2].ends_with("--airdrop") && PEOPLE.iter().all(|one| commands[2].contains(one))
    );
    world.does(&["key", "new", "authority.json"]);
    world.spawn(&["localnet", "--authority", "authority.json"]);
    world.does(&[&["key", "new", "--airdrop"][..], &PEOPLE].concat());
    world.spawn(&["gateway", "serve", "--keypair", "gateway.json", "--store", "gateway.sqlite"]);

    fs::write(world.path("voice.wav"), sound(220)).unwrap();
    fs::write(world.path("song.wav"), sound(440)).unwrap();
    fs::write(world.path("style.safetensors"), "weights").unwrap();
    fs::write(world.path("poem.txt"), "A poem of several words, none of which rhyme.").unwrap();
    fs::write(world.path("drawing.txt"), "Another poem, drawn from the first one's words.")
        .unwrap();
    fs::write(world.path("evidence.txt"), "Ines drew this in May.").unwrap();
    fs::copy(format!("{ROOT}/app/cli/assets/cat.png"), world.path("sketch.png")).unwrap();
    fs::create_dir(world.path("pictures")).unwrap();
    fs::write(world.path("pictures/one"), "1").unwrap();
    fs::write(world.path("pictures/two"), "2").unwrap();
}

/// Returns a WAV file with five seconds of a tone.
fn sound(hertz: u32) -> Vec<u8> {
    const RATE: u32 = 11_025;
    let samples = RATE * 5;
    let mut file = Vec::new();
    file.extend_from_slice(b"RIFF");
    file.extend_from_slice(&(36 + samples * 2).to_le_bytes());
    file.extend_from_slice(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    file.extend_from_slice(&RATE.to_le_bytes());
    file.extend_from_slice(&(RATE * 2).to_le_bytes());
    file.extend_from_slice(b"\x02\0\x10\0data");
    file.extend_from_slice(&(samples * 2).to_le_bytes());
    for sample in 0..samples {
        let phase = f64::from(sample * hertz) / f64::from(RATE) * std::f64::consts::TAU;
        file.extend_from_slice(&((phase.sin() * 20_000.0) as i16).to_le_bytes());
    }
    file
}

fn register(world: &World, commands: &[String]) {
    let voice = ["work", "register", "voice.wav", "--kind", "voice", "--keypair", "nova.json"];
    world.misuse(&voice); // lacks the person's consent
    run(world, commands);
    let nova = address(world, "nova.json");
    let voice = show(world, "voice.wav");
    assert_eq!(voice["consent"]["person"], nova);
    assert_eq!(voice["consent"]["expires_at"], 4_102_444_800_u64);
    let model = show(world, "style.safetensors");
    assert_eq!(model["model"]["base_model"], "stable-diffusion-xl");
    assert_ne!(model["model"]["training_root"], "0".repeat(64));
    assert_eq!(
        (model["consent"]["person"].as_str(), &model["uses"]),
        (Some(&*nova), &Value::Array(vec![]))
    );
}

fn sell(world: &World, commands: &[String]) {
    run(world, &commands[..4]);
    let claimed = world.does(&["earnings", "show", "voice.wav"]);
    assert_eq!(
        (&claimed["earned"], &claimed["parts"][0]["taken"]),
        (&10_000.into(), &6_000.into())
    );
    run(world, &commands[4..5]);
    // The latest terms forbid derivatives; the license keeps the terms it was accepted under.
    let parent = ["--parent", "voice.wav=50%", "--keypair", "ines.json"];
    let without = [&["work", "register", "song.wav", "--kind", "recording"][..], &parent].concat();
    world.refuses(&without, "DerivativesForbidden");
    run(world, &commands[5..]);
    let song = show(world, "song.wav");
    assert_eq!(song["parents"][0]["share_bps"], 5_000);
    assert_eq!(song["parents"][0]["terms"], 1);
    assert_eq!(song["inherited"]["expires_at"], 4_102_444_800_u64, "the consent's end");
    let till = world.does(&["till", "show", "song.wav"]);
    assert_eq!((&till["holds"], &till["swept"]), (&0.into(), &1_000_000.into()));
    let earned = world.does(&["earnings", "show", "song.wav"]);
    assert_eq!(earned["earned"], 1_000_000);
    world.refuses(&["till", "sweep", "song.wav", "--keypair", "fan.json"], "EmptyTill");
}

fn name(world: &World, commands: &[String]) {
    let edited = run(world, commands);
    assert!(edited[0].contains("its SHA-256  -"), "{}", edited[0]);
    assert_eq!(show(world, "song.wav")["title"], "Song of Nova");
    let listed = world.does(&["work", "list", "--kind", "recording"]);
    assert_eq!(listed[0]["title"], "Song of Nova");
    for hostile in ["\u{202e}avoN", "No\u{200b}va", "Nova\u{feff}", "\u{3164}"] {
        let edit = ["work", "edit", "song.wav", "--title", hostile, "--keypair", "fan.json"];
        world.refuses(&edit, "InvalidTitle");
    }
    let strange = ["work", "edit", "song.wav", "--title", "Mine", "--keypair", "kai.json"];
    world.refuses(&strange, "NotOwner");
}

fn look_up(world: &World, commands: &[String]) {
    let voice = show(world, "voice.wav")["work"].as_str().unwrap().to_owned();
    let [listed, shown, drawn] = <[String; 3]>::try_from(run(world, commands)).unwrap();
    assert!(
        listed.contains(&voice) && listed.contains("generate at $0.002/generation"),
        "{listed}"
    );
    assert!(shown.contains(&voice) && shown.contains("$1.00"), "{shown}");
    assert!(
        drawn.contains("ancestors") && drawn.contains(&format!("50%  voice {voice}")),
        "{drawn}"
    );
    let too_cheap = ["work", "list", "--use", "generate", "--max-price", "0.001999"];
    assert_eq!(world.does(&too_cheap), Value::Array(Vec::new()));
    let lineage = world.does(&["work", "tree", "voice.wav"]);
    assert_eq!(lineage["descendants"][0]["share_ppb"], 500_000_000);
}

fn change_split(world: &World, commands: &[String]) {
    let (nova, kai) = (address(world, "nova.json"), address(world, "kai.json"));
    run(world, &commands[..2]);
    let proposed = world.does(&["split", "show", "voice.wav"]);
    assert_eq!(proposed["proposed"]["awaited"], serde_json::json!([kai]));
    let apply = ["split", "apply", "voice.wav", "--keypair", "nova.json"];
    world.refuses(&apply, "MissingRecipientApproval");
    let other = ["split", "approve", "voice.wav", "--digest", "00", "--keypair", "kai.json"];
    world.refuses(&other, "other-split");
    run(world, &commands[2..4]);
    let applied = world.does(&["split", "show", "voice.wav"]);
    assert_eq!((&applied["split_version"], &applied["proposed"]), (&1.into(), &Value::Null));
    assert_eq!(applied["split"][0]["share_bps"], 8_000);

    // 10,000 base units at 60:40, of which Nova has claimed hers, and half of 1,000,000 at 80:20.
    let claim = world.shell(&format!("{} --json", commands[4]));
    let claim: Value = serde_json::from_str(claim.lines().last().unwrap()).unwrap();
    assert_eq!(claimed(&claim, 0, &address(world, "fan.json")), 500_000);
    assert_eq!(claimed(&claim, 1, &nova), 400_000);
    assert_eq!(claimed(&claim, 1, &kai), 4_000 + 100_000);
}

fn approve(world: &World, commands: &[String]) {
    run(world, &commands[..1]);
    let accept = ["channel", "accept", "poem.txt", "--use", "train", "--keypair", "fan.json"];
    world.refuses(&accept, "MissingApproval");
    let drawing = ["work", "register", "drawing.txt", "--kind", "text", "--parent", "poem.txt=10%"];
    let drawing = [&drawing[..], &["--keypair", "ines.json"]].concat();
    world.refuses(&drawing, "MissingApproval");
    run(world, &commands[1..4]);
    world.refuses(&accept, "MissingApproval");
    run(world, &commands[4..]);
    assert_eq!(show(world, "drawing.txt")["parents"][0]["share_bps"], 1_000);
    let revoke = ["approval", "revoke", "poem.txt", "--for", "fan.json", "--purpose", "license"];
    world.refuses(&[&revoke[..], &["--keypair", "nova.json"]].concat(), "unknown-approval");
}

fn hand_over(world: &World, commands: &[String]) {
    let kai = address(world, "kai.json");
    let offer = ["work", "transfer", "poem.txt", "--to", "fan.json", "--keypair", "nova.json"];
    world.does(&offer);
    world.does(&["work", "cancel-transfer", "poem.txt", "--keypair", "nova.json"]);
    let accept = ["work", "accept-transfer", "poem.txt", "--keypair", "fan.json"];
    world.refuses(&accept, "NotOffered");
    run(world, commands);
    let poem = show(world, "poem.txt");
    assert_eq!((poem["owner"].as_str(), &poem["pending_owner"]), (Some(&*kai), &Value::Null));
    let owned = world.does(&["work", "list", "--owner", "kai.json", "--kind", "text"]);
    assert_eq!(owned[0]["work"], poem["work"]);
}

fn withdraw(world: &World, commands: &[String]) {
    run(world, &commands[..1]);
    let publish = ["terms", "publish", "voice.wav", "--use", "generate=1u/generation"];
    let publish = [&publish[..], &["--keypair", "nova.json"]].concat();
    let end = ["consent", "end", "voice.wav", "--keypair", "kai.json"];
    world.refuses(&end, "NotConsentingPerson");
    run(world, &commands[1..]);
    let withdrawn = show(world, "voice.wav");
    assert_eq!(withdrawn["status"], "withdrawn");
    world.refuses(&publish, "WorkNotActive");
    let again = world.does(&["work", "withdraw", "voice.wav", "--keypair", "nova.json"]);
    let first = &again["licenses_end"][0];
    let at = withdrawn["withdrawn_at"].as_i64().unwrap();
    assert_eq!((first["licenses"].as_u64(), first["terms"].as_u64()), (Some(1), Some(1)));
    assert_eq!(first["ends_at"].as_i64(), Some(at + 30 * 86_400));
    // The license is valid until its notice ends.
    world.does(&["generate", "--license", "0", "--keypair", "fan.json"]);
    let listed = world.does(&["work", "list", "--status", "withdrawn"]);
    assert_eq!(listed.as_array().unwrap().len(), 1);
}

fn dispute(world: &World, commands: &[String]) {
    let (ines, kai) = (address(world, "ines.json"), address(world, "kai.json"));
    run(world, &commands[..3]);
    let publish = ["terms", "publish", "sketch.png", "--use", "generate=1u/generation"];
    let publish = [&publish[..], &["--keypair", "kai.json"]].concat();
    world.refuses(&publish, "WorkDisputed");
    let decide =
        ["dispute", "decide", "sketch.png", "--verdict", "upheld", "--keypair", "kai.json"];
    world.refuses(&decide, "NotArbiter");
    assert_eq!(show(world, "sketch.png")["dispute"]["claimant"], ines);
    run(world, &commands[3..4]);
    let decide = [&decide[..6], &["authority.json"]].concat();
    world.refuses(&decide, "HearingOpen");
    run(world, &commands[4..6]);
    let sketch = show(world, "sketch.png");
    assert_eq!((sketch["owner"].as_str(), &sketch["status"]), (Some(&*ines), &"active".into()));
    assert_eq!(sketch["split"][0]["recipient"], ines);
    let accept = ["channel", "accept", "sketch.png", "--keypair", "fan.json"];
    world.refuses(&accept, "unknown-terms");
    world.refuses(&["dispute", "show", "sketch.png"], "unknown-dispute");

    run(world, &commands[6..7]);
    let expire = ["dispute", "expire", "poem.txt", "--keypair", "fan.json"];
    world.refuses(&expire, "DisputeOpen");
    run(world, &commands[7..8]);
    let decide = ["dispute", "decide", "poem.txt", "--verdict", "upheld"];
    let decide = [&decide[..], &["--keypair", "authority.json"]].concat();
    world.refuses(&decide, "DisputeOverdue");
    run(world, &commands[8..]);
    let poem = show(world, "poem.txt");
    assert_eq!((poem["owner"].as_str(), &poem["status"]), (Some(&*kai), &"active".into()));
}

fn certify(world: &World, commands: &[String]) {
    run(world, commands);
    let certificate = &show(world, "song.wav")["certificate"];
    assert!(certificate.is_string(), "{certificate}");
    let again = ["work", "certify", "song.wav", "--name", "Again", "--keypair", "fan.json"];
    assert_eq!(world.run(&again).0, 1);
}

fn administer(world: &World, commands: &[String]) {
    let shop = address(world, "shop.json");
    run(world, &commands[..2]);
    let accept = ["config", "accept-authority", "--keypair", "fan.json"];
    world.refuses(&accept, "NotOffered");
    run(world, &commands[2..]);
    let config = world.does(&["config", "show"]);
    assert_eq!(
        (config["authority"].as_str(), &config["dispute_seconds"]),
        (Some(&*shop), &86_400.into())
    );
    let update = ["config", "update", "--dispute-bond", "1", "--keypair", "shop.json"];
    world.refuses(&update, "BondTooSmall");
}
