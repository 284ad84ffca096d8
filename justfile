# Short names for common commands.

# Run the end-to-end demo on an embedded localnet.
demo *arguments:
    cargo run --release -- demo {{arguments}}

# Run the full gate.
gate:
    .ci/run

# Run all tests.
test:
    cargo test --release --workspace

# Build packages of the `motif` binary into dist/: deb, wheel, npm, sbom, or image. MOTIF_BINARY names a binary that is built.
package *arguments:
    package/build.sh {{arguments}}

# Test the packages in dist/. MOTIF_BINARY names the binary that plays the network.
test-packages *arguments:
    python3 -B -m unittest discover --start-directory package/tests {{arguments}}

# Rebuild the programs' bytecode, its manifest and the IDL.
programs:
    toolchain/build-programs.sh
    toolchain/generate-idl.sh

# Measure the cost of settlement and of other payment schemes: one JSON object per line.
bench-chain:
    cargo bench --workspace --bench chain

# Measure durable paid requests against no-op requests: one JSON object per line.
bench-gateway:
    cargo bench --workspace --bench gateway

# Measure sales by x402 against those of the reference implementation: one JSON object per line.
bench-sales:
    cargo bench --workspace --bench sales

# Measure one payer with many callers over a link of 25 ms each way: one JSON object per line.
bench-payer:
    cargo bench --workspace --bench payer

# Compare signature verification with the crate ed25519-simd too. Needs a processor with AVX-512 IFMA.
second-reference:
    RUSTFLAGS="-C target-feature=+avx512f,+avx512bw,+avx512dq,+avx512ifma" CARGO_TARGET_DIR=target/avx512 \
        cargo test --release -p motif-ed25519-batch

# Send a million requests of payers that try to avoid payment; the report is the last line.
free-riding:
    cargo run --release --example exercise -- free-riding

# Run ten minutes of load and check that memory stays flat; the report is the last line.
soak:
    cargo run --release --example exercise -- soak

# Measure the effect of 5,000 slow sockets on honest payers. Needs `ulimit -n 20000`.
slow-clients:
    cargo run --release --example exercise -- slow-clients

# Rewrite the pages of docs/figures that tests generate.
figures:
    UPDATE_FIGURES=1 cargo test --release --workspace --test programs -- matrix::costs states::

# Send random calls to both programs and compare them with the reference model; the report is the last line.
fuzz:
    cargo run --release --example fuzz

# Kill a gateway under load a thousand times at random failpoints; the report is the last line.
crash-loop *arguments:
    cargo run --release --example crash_loop -- --kills 1000 {{arguments}}

# Run ten thousand random histories of works and their earnings.
histories:
    cargo test --release --workspace --test model histories:: -- --ignored --nocapture

# Write one account of each type with the current layouts; later builds must load them.
fixtures:
    UPDATE_FIXTURES=1 cargo test --release --workspace --test programs matrix::fixtures

# Measure recognition errors of fingerprints on content that is downloaded into a folder.
evaluate-fingerprints folder *arguments:
    tools/evaluation/corpus/fetch.sh {{folder}}
    cargo run --release -p motif-evaluation -- {{folder}} {{arguments}}

# Measure lookup time and recall of the index of works: one JSON object per line.
bench-index:
    cargo bench --workspace --bench recognition

# Test the decoders with randomly changed files.
test-decoders cases="100000":
    PROPTEST_CASES={{cases}} cargo test --release --workspace --test end_to_end decoders::

# Run each decoder under libFuzzer for a number of seconds.
fuzz-decoders seconds="60":
    fuzz/run.sh {{seconds}}

# Mutate the money code and check that a test fails for each mutant.
mutants *arguments:
    tests/mutants/run.py {{arguments}}
