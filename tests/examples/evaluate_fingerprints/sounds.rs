use std::{
    path::{Path, PathBuf},
    process::Command,
};

use motif_sdk::fingerprint::{Scheme, content_digest, decode_audio, none};

use super::{
    files::{Half, below, in_parallel},
    report::{Asked, Known, Report},
};

/// Encoding takes its time.
const TRACKS: usize = 30;

pub fn evaluate(folder: &Path, report: &mut Report) {
    if Command::new("ffmpeg").arg("-version").output().is_err() {
        report.note("Music: not evaluated, as there is no ffmpeg here.".to_owned());
        return;
    }
    let scratch = folder.join("scratch");
    std::fs::create_dir_all(&scratch).unwrap();
    let mut tracks = below(&folder.join("music"), &[".ogg", ".mp3", ".flac", ".wav"]);
    tracks.sort_by_key(|path| content_digest(path.as_os_str().as_encoded_bytes()));
    tracks.truncate(TRACKS);
    let numbered: Vec<_> = tracks.iter().enumerate().collect();
    for (about, seconds) in [("a minute", 60), ("two minutes", 120)] {
        let heard = in_parallel(&numbered, |(number, path)| {
            let file = |name: &str| scratch.join(format!("{seconds}-{number}-{name}"));
            let whole = file("whole.wav");
            convert(path, &["-t", &seconds.to_string()], &whole)?;
            let audio = decode_audio(&std::fs::read(&whole).ok()?).ok()?;
            if audio.milliseconds < seconds * 950 || audio.fingerprint == none() {
                return None;
            }
            let group = path.to_string_lossy().into_owned();
            let known = Known { group, fingerprint: audio.fingerprint };
            Some((known, changed(&whole, &file, seconds), Half::of(path)))
        });
        let heard: Vec<_> = heard.into_iter().flatten().collect();
        let mut asked = Vec::new();
        for (work, (_, changed, half)) in heard.iter().enumerate() {
            for (transformation, path) in changed {
                let Some(audio) = std::fs::read(path).ok().and_then(|b| decode_audio(&b).ok())
                else {
                    continue;
                };
                let probes = audio.probes;
                asked.push(Asked { transformation, half: *half, work, probes });
            }
        }
        report.note(format!(
            "Music: the first {about} of {} pieces (Wesnoth, Endgame: Singularity, Warzone 2100, \
             ASC), each asked about among the others.",
            heard.len()
        ));
        let known: Vec<_> = heard.into_iter().map(|(known, ..)| known).collect();
        report.compare(Scheme::AudioChroma, &known, &asked);
    }
    std::fs::remove_dir_all(scratch).unwrap();
}

fn changed(
    whole: &Path,
    file: &impl Fn(&str) -> PathBuf,
    seconds: u64,
) -> Vec<(&'static str, PathBuf)> {
    let mut all = vec![("as it is", whole.to_owned())];
    let mut made = |name, from: &Path, options: &[&str], to: PathBuf| {
        if convert(from, options, &to).is_some() {
            all.push((name, to));
        }
    };
    made("MP3 at 64 kbit/s", whole, &["-b:a", "64k"], file("64.mp3"));
    let opus = file("64.opus");
    convert(whole, &["-b:a", "64k"], &opus);
    made("Opus at 64 kbit/s, decoded", &opus, &[], file("64.wav"));
    made("22,050 Hz, one channel", whole, &["-ar", "22050", "-ac", "1"], file("22.wav"));
    let (excerpt, start) = (file("30.wav"), format!("{}.37", seconds / 4));
    let name = if seconds == 60 { "30 s of a minute" } else { "30 s of two minutes" };
    made(name, whole, &["-ss", &start, "-t", "30"], excerpt);
    all
}

fn convert(from: &Path, options: &[&str], to: &Path) -> Option<()> {
    let mut command = Command::new("ffmpeg");
    command.args(["-nostdin", "-v", "error", "-y", "-i"]).arg(from).args(options).arg(to);
    command.status().ok()?.success().then_some(())
}
