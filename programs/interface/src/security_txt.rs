//! `security.txt` inside the bytecode: whom to tell of a vulnerability.

/// Embeds a program's `security.txt`, in the format that explorers and `query-security-txt` find by
/// its markers: names and values, each ended by a zero byte.
///
/// Deployers state their own contacts here; the page on deployment says when.
#[macro_export]
macro_rules! security_txt {
    ($name:literal) => {
        #[cfg(target_os = "solana")]
        const _: () = {
            const TEXT: &str = concat!(
                "=======BEGIN SECURITY.TXT V1=======\0",
                concat!("name\0", $name, "\0"),
                "project_url\0private\0",
                "contacts\0other:the holders of this program's upgrade authority\0",
                "policy\0Report privately first. There is no bounty.\0",
                "preferred_languages\0en\0",
                "=======END SECURITY.TXT V1=======\0",
            );
            // Bytes instead of a string, and no section of their own: sections are not deployed.
            #[used]
            static SECURITY_TXT: [u8; TEXT.len()] = {
                let mut bytes = [0; TEXT.len()];
                bytes.copy_from_slice(TEXT.as_bytes());
                bytes
            };
        };
    };
}
