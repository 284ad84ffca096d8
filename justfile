# Thin names for plain commands.

# The whole road on the embedded localnet.
demo *arguments:
    cargo run --release -- demo {{arguments}}

# Everything the gate runs, in its order.
gate:
    .ci/run

test:
    cargo test --release --workspace

# Rebuild the programs' bytecode, its manifest and the IDL.
programs:
    toolchain/build-programs.sh
    toolchain/generate-idl.sh

# What settling costs beside other ways of paying: one JSON object a line.
bench-chain:
    cargo bench --workspace --bench chain

# Durable paid requests beside requests that do nothing: one JSON object a line.
bench-gateway:
    cargo bench --workspace --bench gateway

# A million requests by payers who would rather not pay; the report is the last line.
free-riding:
    cargo run --release --example exercise -- free-riding

# Ten minutes of load: memory stays flat; the report is the last line.
soak:
    cargo run --release --example exercise -- soak

# What 5,000 slow sockets do to honest payers. Needs `ulimit -n 20000`.
slow-clients:
    cargo run --release --example exercise -- slow-clients

# Write the pages of docs/figures that tests measure.
figures:
    UPDATE_FIGURES=1 cargo test --release --workspace --test programs -- matrix::costs states::

# Random calls of both programs against the reference ledger; the report is the last line.
fuzz:
    cargo run --release --example fuzz

# A gateway under load, killed a thousand times at random moments; the report is the last line.
crash-loop *arguments:
    cargo run --release --example crash_loop -- --kills 1000 {{arguments}}

# Ten thousand random histories of works and what they earn.
histories:
    cargo test --release --workspace --test model histories:: -- --ignored --nocapture

# Write one account of every type as the present build does; later builds must load them.
fixtures:
    UPDATE_FIXTURES=1 cargo test --release --workspace --test programs matrix::fixtures

# Measure what fingerprints find, miss and mistake, on content that is downloaded into a folder.
evaluate-fingerprints folder *arguments:
    tools/evaluation/corpus/fetch.sh {{folder}}
    cargo run --release -p motif-evaluation -- {{folder}} {{arguments}}

# How fast works are recognised among a million, and whether any is missed: one JSON object a line.
bench-index:
    cargo bench --workspace --bench recognition

# Decoders and randomly changed files, for as many cases as are asked for.
fuzz-decoding cases="100000":
    PROPTEST_CASES={{cases}} cargo test --release --workspace --test end_to_end decoders::

# Every decoder under libFuzzer, for so many seconds each.
fuzz-decoders seconds="60":
    fuzz/run.sh {{seconds}}

# Change the money code line by line and see whether a test on bytecode notices.
mutants *arguments:
    tests/mutants/run.py {{arguments}}
