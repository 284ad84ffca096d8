use proptest::prelude::*;

use super::*;

const NOW: i64 = 1_800_000_000;

fn refusal(text: &str) -> String {
    let read = Document::parse(text).and_then(|document| document.offer(Some(6)));
    read.and_then(|offer| check(&offer, NOW)).unwrap_err().to_string()
}

#[test]
fn uri_with_hidden_character_is_rejected() {
    let uses = "[[use]]\nuse = \"generate\"\nunit = \"generation\"\nprice = 1";
    for hidden in ["\\u001b", "\\u202e", "\\n", "\\u200b", "\\ufeff"] {
        let refused = refusal(&format!("legal_uri = \"https://e.com/{hidden}\"\n{uses}"));
        assert!(refused.starts_with("`legal_uri` has the hidden character"), "{refused}");
    }
}

#[test]
fn endless_file_is_not_read() {
    let opened = Document::open(Path::new("/dev/zero")).unwrap_err();
    assert!(matches!(opened, DocumentError::Unreadable { .. }), "{opened}");
}

#[test]
fn document_maps_to_every_offer_field() {
    let text = r#"
        currency = "4zMMC9srt5Ri5X14GAgXhaHii3GnPAEERYPJgZJDncDU"
        commercial = false
        attribution = true
        sublicensing = true
        approval_required = true
        derivatives = "approval"
        derivative_share = "12.5%"
        share_alike = true
        upfront_fee = "2.5"
        free_units = 10
        valid_from = 2027-02-01T00:00:00+01:00
        expires_at = "2028-01-01T00:00:00Z"
        notice_days = 60
        legal_uri = "https://example.com/license"

        [caps]
        total_units = 1000
        daily_units = 10
        licensee_units = 100
        revenue = 5000000

        [[use]]
        use = "generate"
        unit = "generation"
        price = "0.001"

        [[use]]
        use = "train"
        unit = "training-run"
        price = 7
    "#;
    let offer = Document::parse(text).unwrap().offer(Some(6)).unwrap();
    let uses = [(Use::Generate, Unit::Generation, 1_000), (Use::Train, Unit::TrainingRun, 7)];
    let expected = Offer {
        commercial: false,
        attribution: true,
        sublicensing: true,
        approval_required: true,
        derivatives: Derivatives::WithApproval,
        share_alike: true,
        derivative_share_bps: 1_250,
        upfront_fee: 2_500_000,
        free_units: 10,
        caps: Caps {
            total_units: Some(1_000),
            daily_units: Some(10),
            licensee_units: Some(100),
            revenue: Some(5_000_000),
        },
        valid_from: 1_801_436_400,
        expires_at: Some(1_830_297_600),
        notice_seconds: 60 * SECONDS_PER_DAY,
        legal_digest: [0; 32],
        uses: uses
            .map(|(licensed_use, unit, price)| UsePrice { licensed_use, unit, price })
            .to_vec(),
        operators: Vec::new(),
        legal_uri: "https://example.com/license".to_owned(),
    };
    assert_eq!(offer, expected);
}

#[test]
fn document_overrides_preset_fields() {
    let preset = "preset = \"commercial-remix-share-alike\"\n";
    let priced = "[[use]]\nuse = \"generate\"\nprice = 5\n";
    let offer = |between: &str| {
        let text = format!("{preset}{between}{priced}");
        Document::parse(&text).unwrap().offer(None).unwrap()
    };
    let as_preset = offer("");
    assert!(as_preset.share_alike && as_preset.attribution);
    let changed = offer("attribution = false\nderivative_share = \"7%\"\n");
    let expected = Offer { attribution: false, derivative_share_bps: 700, ..as_preset };
    assert_eq!(changed, expected);
    assert_eq!(changed.uses.len(), 1, "a document's uses are all there are");
}

#[test]
fn unknown_key_error_suggests_nearest() {
    let line = |text| refusal(text);
    assert_eq!(line("prest = 1"), "line 1: unknown key `prest`; did you mean `preset`?");
    assert_eq!(
        line("\n[caps]\ndaily_unit = 1"),
        "line 3: unknown key `daily_unit` in [caps]; did you mean `daily_units`?"
    );
    assert_eq!(
        line("[[use]]\nuse = \"play\"\nprise = 1"),
        "line 3: unknown key `prise` in [[use]]; did you mean `price`?"
    );
}

#[test]
fn errors_state_what_was_expected() {
    let says = |text: &str, expected: &str| {
        let said = refusal(text);
        assert!(said.contains(expected), "{text}\nsays: {said}");
    };
    let priced = |price: &str| format!("[[use]]\nuse = \"play\"\nunit = \"second\"\n{price}");
    says("commercial = ", "line 1 is not TOML");
    says("commercial = \"yes\"", "line 1, `commercial = \"yes\"`: invalid type");
    says("derivatives = \"yes\"", "forbidden");
    says("preset = \"non-comercial-remix\"", "did you mean `non-commercial-remix`?");
    says("derivative_share = 20", "\"20%\"");
    says("derivative_share = \"120%\"", "expected for example 50%");
    says("currency = \"dollars\"", "base58 public key");
    says("expires_at = 2027-01-01", "2027-01-01T00:00:00Z");
    says("free_units = -1", "a number of units such as 1000");
    says("[[use]]\nuse = \"fly\"", "style-transfer");
    says("[[use]]\nuse = \"train\"\nunit = \"mile\"\nprice = 1", "training-run");
    says(&priced("price = 0.001"), "a decimal in quotes such as \"0.001\"");
    says(&priced("price = -1"), "not negative");
    says(&priced("price = \"0.0000001\""), "more decimals than the currency, which has 6");
    says(&priced(""), "`play` has no price; add");
    says("[[use]]\nuse = \"voice-convert\"\nprice = 1", "unit = \"second\"");
    says("", "terms need a use");
    says("preset = \"voice-50-50\"", "preset `voice-50-50` sets none");
    says("notice_days = 30\nnotice_seconds = 5", "keep one of them");
    says("notice_days = 4000000000", "at most 366");
    says("legal_text = \"a\"\nlegal_digest = \"00\"", "64 hexadecimal digits");
    says(&format!("notice_days = 367\n{}", priced("price = 1")), "(NoticeTooLong)");
    says(
        &format!("expires_at = 2020-01-01T00:00:00Z\n{}", priced("price = 1")),
        "(InvalidTermsPeriod)",
    );
    says(&format!("legal_text = \"x.md\"\n{}", priced("price = 1")), "was not read");
}

#[test]
fn decimal_price_needs_currency_decimals() {
    let entry = |price: &str| format!("[[use]]\nuse=\"play\"\nunit=\"second\"\nprice={price}");
    let document = Document::parse(&entry("\"0.5\"")).unwrap();
    assert!(document.needs_decimals());
    let refused = document.offer(None).unwrap_err().to_string();
    assert!(refused.starts_with("`price of play`: \"0.5\" needs the currency's decimals"));
    let base_units = Document::parse(&entry("500000")).unwrap();
    assert!(!base_units.needs_decimals());
    assert_eq!(base_units.offer(None), document.offer(Some(6)));
}

#[test]
fn legal_text_is_read_and_hashed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("terms.toml");
    let text = "legal_text = \"license.md\"\n[[use]]\nuse=\"play\"\nunit=\"second\"\nprice=1";
    std::fs::write(&path, text).unwrap();
    let missing = Document::open(&path).unwrap_err().to_string();
    assert!(missing.contains("license.md"), "{missing}");
    std::fs::write(folder.path().join("license.md"), "be kind").unwrap();
    let offer = Document::open(&path).unwrap().offer(None).unwrap();
    assert_eq!(offer.legal_digest, hash(b"be kind").to_bytes());
}

#[test]
fn key_lists_are_complete() {
    let offer = Offer {
        expires_at: Some(2),
        valid_from: 1,
        legal_digest: [1; 32],
        legal_uri: "u".to_owned(),
        operators: vec![Pubkey::default()],
        caps: Caps {
            total_units: Some(1),
            daily_units: Some(1),
            licensee_units: Some(1),
            revenue: Some(1),
        },
        ..Document::parse("[[use]]\nuse=\"play\"\nunit=\"second\"\nprice=1")
            .unwrap()
            .offer(None)
            .unwrap()
    };
    let full = Document {
        preset: Some(Preset::Voice5050),
        notice_seconds: Some(1),
        legal_text: Some("x".into()),
        ..Document::from_offer(Pubkey::default(), &offer)
    };
    let table: toml::Table = full.to_toml().parse().unwrap();
    let sorted = |keys: &mut Vec<&str>| keys.sort_unstable();
    let (mut written, mut known): (Vec<_>, Vec<_>) =
        (table.keys().map(String::as_str).collect(), keys::TOP.to_vec());
    sorted(&mut written);
    sorted(&mut known);
    assert_eq!(written, known);
    let caps: Vec<_> = table["caps"].as_table().unwrap().keys().cloned().collect();
    assert_eq!(caps.len(), keys::CAPS.len());
    let entry = table["use"].as_array().unwrap()[0].as_table().unwrap();
    assert_eq!(entry.len(), keys::USE.len());
}

fn any_offer() -> impl Strategy<Value = Offer> {
    let cap = || proptest::option::of(1..=u64::MAX);
    let price = (0..6_usize, 0..4_usize, any::<u64>());
    let flags = any::<[bool; 5]>();
    let scalars = (any::<u64>(), any::<u64>(), any::<i64>(), any::<u32>(), 0..=10_000_u16);
    let rest = (
        proptest::option::of(any::<i64>()),
        any::<[u8; 32]>(),
        "[ -~\n\u{e9}]{0,40}",
        0..3_usize,
        proptest::collection::vec(any::<[u8; 32]>(), 0..=4),
    );
    let caps = (cap(), cap(), cap(), cap());
    (flags, scalars, rest, caps, proptest::collection::vec(price, 1..=8)).prop_map(
        |(flags, scalars, rest, caps, prices)| {
            let uses = prices.into_iter().map(|(licensed_use, unit, price)| UsePrice {
                licensed_use: Use::ALL[licensed_use],
                unit: Unit::ALL[unit],
                price,
            });
            Offer {
                commercial: flags[0],
                attribution: flags[1],
                sublicensing: flags[2],
                approval_required: flags[3],
                derivatives: Derivatives::ALL[rest.3],
                share_alike: flags[4],
                derivative_share_bps: scalars.4,
                upfront_fee: scalars.0,
                free_units: scalars.1,
                caps: Caps {
                    total_units: caps.0,
                    daily_units: caps.1,
                    licensee_units: caps.2,
                    revenue: caps.3,
                },
                valid_from: scalars.2,
                expires_at: rest.0,
                notice_seconds: scalars.3,
                legal_digest: rest.1,
                uses: uses.collect(),
                operators: rest.4.into_iter().map(Pubkey::new_from_array).collect(),
                legal_uri: rest.2,
            }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn offer_round_trips_through_document(offer in any_offer()) {
        let document = Document::from_offer(Pubkey::new_from_array([9; 32]), &offer);
        let read = Document::parse(&document.to_toml()).unwrap();
        prop_assert_eq!(&read, &document);
        prop_assert_eq!(read.offer(None).unwrap(), offer);
    }

    #[test]
    fn parser_does_not_panic(text in "[a-z_\\[\\]=\"0-9.\n ]{0,200}") {
        let _ = Document::parse(&text).and_then(|document| document.offer(Some(6)));
    }
}
