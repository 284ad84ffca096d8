use std::{
    fs::{self, File},
    io::Write,
    path::Path,
    time::{Duration, Instant},
};

/// Returns the resident memory of this process, bytes; zero if unknown.
pub fn resident_bytes() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    kilobytes.unwrap_or(0) * 1_024
}

/// Returns the median time of 500 durable writes of one page in a folder.
pub fn one_fsync(folder: &Path) -> Duration {
    let path = folder.join("one-page");
    let mut file = File::create(&path).unwrap();
    let mut times: Vec<_> = (0..500)
        .map(|_| {
            let begun = Instant::now();
            file.write_all(&[7; 4_096]).unwrap();
            file.sync_data().unwrap();
            begun.elapsed()
        })
        .collect();
    fs::remove_file(path).unwrap();
    times.sort_unstable();
    times[times.len() / 2]
}
