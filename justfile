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

# Random calls of both programs against the reference ledger; the report is the last line.
fuzz:
    cargo run --release --example fuzz

# Ten thousand random histories of works and what they earn.
histories:
    cargo test --release --workspace --test histories -- --ignored --nocapture
