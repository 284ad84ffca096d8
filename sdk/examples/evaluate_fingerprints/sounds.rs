use std::{
    path::{Path, PathBuf},
    process::Command,
};

use motif_sdk::{
    fingerprint::{content_digest, decode_audio, none},
    licensing::Fingerprint,
};

use super::{
    comparison::{Asked, Known, compare},
    files::{Half, below, group, in_parallel},
    report::Report,
};

/// Shorter files are sounds of a game, and no pieces.
const MIN_FILE_BYTES: u64 = 200_000;
/// Encoding and listening take their time: of all pieces so many, in the order of the SHA-256 of
/// their names.
const PIECES: usize = 48;
/// How many seconds of a piece a work is, and whether that is the length that goals are for.
const LENGTHS: [(&str, u64, bool); 2] =
    [("music, a minute of it", 60, true), ("music, two minutes of it", 120, false)];

/// A work that was made from a piece, and what was asked about it.
struct Heard {
    kind: &'static str,
    name: String,
    group: String,
    fingerprint: Fingerprint,
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
    tracks.truncate(PIECES);
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
    for (kind, seconds, _) in LENGTHS {
        let count = |half: Half| {
            let of_kind = heard.iter().filter(|work| work.kind == kind);
            of_kind.filter(|work| Half::of(&work.group) == half).count()
        };
        report.note(format!(
            "Music: the first {seconds} s of {} pieces on the half that thresholds were chosen on, \
             and of {} on the half they are judged on, each asked about among the others (music of \
             games and while you wait: see fetch.sh).",
            count(Half::Chosen),
            count(Half::Judged),
        ));
    }
    // Works of different lengths of the same pieces are not asked about among each other.
    for (kind, ..) in LENGTHS {
        let of_kind: Vec<_> = heard.iter().filter(|work| work.kind == kind).collect();
        let known: Vec<_> = of_kind
            .iter()
            .map(|work| Known {
                group: work.group.clone(),
                name: work.name.clone(),
                fingerprint: work.fingerprint,
            })
            .collect();
        let asked: Vec<_> = of_kind
            .iter()
            .enumerate()
            .flat_map(|(work, heard)| {
                heard.asked.iter().map(move |(transformation, has_goal, probes)| Asked {
                    kind: heard.kind,
                    transformation,
                    is_copy: *has_goal,
                    has_goal: *has_goal,
                    work,
                    probes: probes.clone(),
                })
            })
            .collect();
        let outcomes = compare(&known, &asked);
        report.take("audio", &known, &asked, &outcomes);
    }
}

/// What is heard of a piece, at every length that it has.
fn heard(music: &Path, path: &Path, folder: &Path) -> Vec<Heard> {
    let package = path.strip_prefix(music).unwrap().iter().next().unwrap().to_string_lossy();
    let name = path.strip_prefix(music).unwrap().display().to_string();
    let group = group(&package, path);
    let mut all = Vec::new();
    for (kind, seconds, is_main) in LENGTHS {
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
        let asked = asked.filter_map(|(transformation, has_goal, path)| {
            let audio = decode_audio(&std::fs::read(path).ok()?).ok()?;
            Some((transformation, has_goal, audio.probes))
        });
        all.push(Heard {
            kind,
            name: name.clone(),
            group: group.clone(),
            fingerprint: audio.fingerprint,
            asked: asked.collect(),
        });
    }
    all
}

/// Changes to a piece; of the longer ones only what the length matters to.
fn changed(
    whole: &Path,
    folder: &Path,
    seconds: u64,
    is_main: bool,
) -> Vec<(&'static str, bool, PathBuf)> {
    let mut all = Vec::new();
    let mut made = |name, has_goal, options: &[&str], file: String| {
        let to = folder.join(file);
        if convert(whole, options, &to).is_some() {
            all.push((name, has_goal, to));
        }
    };
    // An excerpt begins anywhere: here a quarter into the piece and a little.
    let start = format!("{}.37", seconds / 4);
    let excerpt = ["-ss", &start, "-t", "30"];
    made("30-s excerpt", is_main, &excerpt, format!("{seconds}-30.wav"));
    if is_main {
        let mut options = excerpt.to_vec();
        options.extend(["-b:a", "64k"]);
        made("30-s excerpt, Opus at 64 kbit/s", false, &options, "30.opus".to_owned());
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
