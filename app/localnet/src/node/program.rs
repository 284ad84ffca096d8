use solana_pubkey::Pubkey;

/// A program's bytecode and its address.
#[derive(Clone, Debug)]
pub struct Program {
    /// Address of the program.
    pub id: Pubkey,
    /// ELF file written by the SBF linker.
    pub elf: Vec<u8>,
}
