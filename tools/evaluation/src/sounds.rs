use std::{
    path::{Path, PathBuf},
    process::Command,
};

use motif_fingerprint::{Scheme, content_digest, decode_audio, none};
use motif_interface::licensing::Fingerprint;

use super::{
    comparison::{Asked, Known, compare},
    files::{Half, below, group, in_parallel},
    report::Report,
};

/// Minimum size; smaller files are sound effects.
const MIN_FILE_BYTES: u64 = 200_000;
/// Number of files per half, in the order of the SHA-256 of
/// their names, because encoding is slow.
const FILES: usize = 260;
/// Durations of works in seconds, and whether goals apply.
const LENGTHS: [(u64, bool); 2] = [(60, true), (120, false)];
/// Names of works of these durations, by scheme.
const KINDS: [(&str, u64, Scheme); 4] = [
    ("music, a minute of it", 60, Scheme::AudioSounds),
    ("music, two minutes of it", 120, Scheme::AudioSounds),
    ("music, a minute of it, by scheme 3", 60, Scheme::AudioChroma),
    ("music, two minutes of it, by scheme 3", 120, Scheme::AudioChroma),
];

/// Work made from a piece, with its queries.
struct Heard {
    seconds: u64,
    name: String,
    group: String,
    /// Fingerprint of the registration, by scheme.
    fingerprints: Vec<Fingerprint>,
    asked: Vec<(&'static str, bool, Vec<Fingerprint>)>,
}

pub fn evaluate(folder: &Path, report: &mut Report) {
    if Command::new("ffmpeg").arg("-version").output().is_err() {
        report.note("Music: not evaluated, as there is no ffmpeg here.".to_owned());
        return;
    }
    let scratch = folder.join("scratch");
    std::fs::create_dir_all(&scratch).unwrap();
    let music = folder.join("music");
    let mut tracks = below(&music, &[".ogg", ".mp3", ".flac", ".wav", ".opus"]);
    tracks.retain(|path| std::fs::metadata(path).is_ok_and(|file| file.len() > MIN_FILE_BYTES));
    tracks.sort_by_key(|path| {
        content_digest(path.strip_prefix(&music).unwrap().as_os_str().as_encoded_bytes())
    });
    tracks.truncate(FILES);
    let numbered: Vec<_> = tracks.iter().enumerate().collect();
    let heard = in_parallel(&numbered, |(number, path)| {
        let folder = scratch.join(number.to_string());
        std::fs::create_dir_all(&folder).unwrap();
        let heard = heard(&music, path, &folder);
        std::fs::remove_dir_all(folder).unwrap();
        heard
    });
    std::fs::remove_dir_all(scratch).unwrap();
    let heard: Vec<_> = heard.into_iter().flatten().collect();
    for (seconds, _) in LENGTHS {
        let count = |half: Half| {
            let of_length = heard.iter().filter(|work| work.seconds == seconds);
            of_length.filter(|work| Half::from_group(&work.group) == half).count()
        };
        report.note(format!(
            "Music: the first {seconds} s of {} pieces on the half that thresholds were chosen on, \
             and of {} on the half they are judged on, each asked about among the others (music of \
             games and while you wait: see fetch.sh).",
            count(Half::Chosen),
            count(Half::Judged),
        ));
    }
    // Works of different durations of the same pieces are not compared with each other, and every
    // work is registered under one scheme.
    for (kind, seconds, scheme) in KINDS {
        let registered = |work: &&Heard| work.seconds == seconds;
        let of_kind: Vec<_> = heard.iter().filter(registered).collect();
        let of_scheme = |work: &&Heard| {
            let mut all = work.fingerprints.iter();
            all.find(|fingerprint| fingerprint.scheme == scheme as u16).copied()
        };
        let of_kind: Vec<_> =
            of_kind.into_iter().filter(|work| of_scheme(work).is_some()).collect();
        let known: Vec<_> = of_kind
            .iter()
            .filter_map(|work| {
                let fingerprint = of_scheme(work)?;
                let (group, name) = (work.group.clone(), work.name.clone());
                let sharing = sharing(&of_kind, &work.name);
                Some(Known { group, name, fingerprint, sharing })
            })
            .collect();
        let asked: Vec<_> = of_kind
            .iter()
            .enumerate()
            .flat_map(|(work, heard)| {
                heard.asked.iter().map(move |(transformation, is_copy, probes)| Asked {
                    kind,
                    transformation,
                    is_copy: *is_copy,
                    has_goal: *is_copy && scheme == Scheme::AudioSounds,
                    work,
                    probes: probes.clone(),
                })
            })
            .collect();
        let outcomes = compare(&known, &asked);
        report.take("audio", &known, &asked, &outcomes);
    }
}

/// Returns the works that share ten seconds with this piece, by their waveforms.
fn sharing(works: &[&Heard], name: &str) -> Vec<(usize, u32)> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/corpus/shared-sounds.tsv");
    let list = std::fs::read_to_string(path).unwrap();
    let pairs = list.lines().filter(|line| !line.starts_with('#')).filter_map(|line| {
        let mut cells = line.split('\t');
        let (share, one, other) = (cells.next()?, cells.next()?, cells.next()?);
        let other = [(one, other), (other, one)].into_iter().find(|(one, _)| *one == name)?.1;
        let place = works.iter().position(|work| work.name == other)?;
        Some((place, share.parse().unwrap()))
    });
    pairs.collect()
}

/// Decodes a piece at every duration.
fn heard(music: &Path, path: &Path, folder: &Path) -> Vec<Heard> {
    let package = path.strip_prefix(music).unwrap().iter().next().unwrap().to_string_lossy();
    let name = path.strip_prefix(music).unwrap().display().to_string();
    let group = group(&package, path);
    let mut all = Vec::new();
    for (seconds, is_main) in LENGTHS {
        let whole = folder.join(format!("{seconds}.wav"));
        let is_made = convert(path, &["-t", &seconds.to_string()], &whole);
        let Some(audio) = is_made.and_then(|()| decode_audio(&std::fs::read(&whole).ok()?).ok())
        else {
            continue;
        };
        if audio.milliseconds < seconds * 950 || audio.fingerprint == none() {
            continue;
        }
        let asked = changed(&whole, folder, seconds, is_main).into_iter();
        let asked = asked.filter_map(|(transformation, is_copy, path)| {
            let audio = decode_audio(&std::fs::read(path).ok()?).ok()?;
            Some((transformation, is_copy, audio.probes))
        });
        all.push(Heard {
            seconds,
            name: name.clone(),
            group: group.clone(),
            fingerprints: audio.probes,
            asked: asked.collect(),
        });
    }
    all
}

/// Returns transformations of a piece, and whether they must be tolerated; for longer durations
/// only those that depend on the duration.
fn changed(
    whole: &Path,
    folder: &Path,
    seconds: u64,
    is_main: bool,
) -> Vec<(&'static str, bool, PathBuf)> {
    let mut all = Vec::new();
    let mut made = |name, is_copy, options: &[&str], file: String| {
        let to = folder.join(file);
        if convert(whole, options, &to).is_some() {
            all.push((name, is_copy, to));
        }
    };
    // The excerpt starts slightly after a quarter of the piece.
    let start = format!("{}.37", seconds / 4);
    let excerpt = ["-ss", &start, "-t", "30"];
    made("30-s excerpt", is_main, &excerpt, format!("{seconds}-30.wav"));
    let mut options = excerpt.to_vec();
    options.extend(["-b:a", "64k"]);
    made("30-s excerpt, Opus at 64 kbit/s", false, &options, format!("{seconds}-30.opus"));
    if is_main {
        made("MP3 at 64 kbit/s", true, &["-b:a", "64k"], "64.mp3".to_owned());
        made("Opus at 64 kbit/s", true, &["-b:a", "64k"], "64.opus".to_owned());
        made("22,050 Hz, one channel", true, &["-ar", "22050", "-ac", "1"], "22.wav".to_owned());
    }
    all
}

fn convert(from: &Path, options: &[&str], to: &Path) -> Option<()> {
    let mut command = Command::new("ffmpeg");
    command.args(["-nostdin", "-v", "error", "-threads", "1", "-y", "-i"]);
    command.arg(from).args(options).arg(to);
    command.status().ok()?.success().then_some(())
}
