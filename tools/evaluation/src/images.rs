use std::{
    collections::HashSet,
    path::{Path, PathBuf},
};

use image::{DynamicImage, Rgba, RgbaImage};
use motif_fingerprint::{Seen, content_digest};

use super::{
    changes,
    comparison::{Asked, Known, compare},
    files::{Half, below, group, in_parallel},
    report::Report,
};

const PHOTOGRAPHS: &str = "natural photographs";
const UNSEEN: &str = "photographs not seen before";
const CUT_OUTS: &str = "cut-outs from photographs";
pub const DRAWINGS: &str = "drawings, icons, screenshots";
/// Maximum side of works, since larger ones only take longer.
pub const WORK_SIDE: u32 = 512;
/// Minimum side of works, so that a quarter of the size has enough detail.
const MIN_CUT_OUT_SIDE: u32 = 256;
/// Number of drawings queried per half.
const ASKED_DRAWINGS: usize = 250;
/// Minimum number of unrelated images compared with.
const STRANGERS: usize = 10_000;
const ENDINGS: [&str; 4] = [".png", ".jpg", ".jpeg", ".webp"];
const STAMPS: &str = "tuxpaint-stamps-default";

pub struct Picture {
    pub kind: &'static str,
    pub group: String,
    pub path: PathBuf,
}

pub fn evaluate(folder: &Path, report: &mut Report) {
    let pictures = pictures(folder);
    let looked_at = in_parallel(&pictures, |picture| {
        let work = opened(&picture.path, WORK_SIDE)?;
        let fingerprint = Seen::new(&work)?.fingerprint();
        Some((content_digest(work.as_bytes()), fingerprint))
    });
    let (mut known, mut paths, mut digests) = (Vec::new(), Vec::new(), HashSet::new());
    for (picture, seen) in pictures.iter().zip(looked_at) {
        let Some((digest, fingerprint)) = seen else { continue };
        // Files with the same pixels are one picture.
        if digests.insert(digest) {
            let name = picture.path.strip_prefix(folder).unwrap().display().to_string();
            known.push(Known {
                group: picture.group.clone(),
                name,
                fingerprint,
                sharing: Vec::new(),
            });
            paths.push(picture);
        }
    }
    let asked = asked(&paths);
    let count = |half: Half, kind: &str| {
        let of_kind = paths.iter().filter(|picture| picture.kind == kind);
        let here: Vec<_> =
            of_kind.filter(|picture| Half::from_group(&picture.group) == half).collect();
        let groups: HashSet<_> = here.iter().map(|picture| &picture.group).collect();
        (here.len(), groups.len())
    };
    for half in Half::ALL {
        let ((photographs, _), (unseen, _)) = (count(half, PHOTOGRAPHS), count(half, UNSEEN));
        let (cut_outs, _) = count(half, CUT_OUTS);
        let (drawings, groups) = count(half, DRAWINGS);
        report.note(format!(
            "Images, the half that thresholds were {}: {photographs} natural photographs, \
             {unseen} photographs not seen before, {cut_outs} cut-outs, and {drawings} drawings, icons and screenshots in {groups} groups, no two of \
             the same pixels. Each is a work; every photograph and cut-out is asked about among all, \
             and {ASKED_DRAWINGS} drawings among those of other groups.",
            half.word()
        ));
        report.figure(
            &format!("fingerprints.unrelated_images{{half={}}}", half.word()),
            drawings as f64,
            "images",
            Some((STRANGERS as f64, drawings >= STRANGERS)),
            &format!("drawings, icons, screenshots, of {groups} groups"),
        );
    }
    let outcomes = compare(&known, &asked);
    report.take("image", &known, &asked, &outcomes);
}

pub fn pictures(folder: &Path) -> Vec<Picture> {
    let photographs = folder.join("photographs");
    let seen = include_str!("../corpus/photographs.txt");
    let unseen = include_str!("../corpus/unseen.txt");
    let seen = seen.lines().map(|line| (PHOTOGRAPHS, line));
    let list = seen.chain(unseen.lines().map(|line| (UNSEEN, line)));
    let mut pictures: Vec<_> = list
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
        .map(|(kind, line)| Picture {
            kind,
            group: format!("photograph/{line}"),
            path: photographs.join(line),
        })
        .collect();
    for path in below(&photographs.join(STAMPS), &[".png"]) {
        // Drawings in a photograph's package: those with a vector image, and all symbols.
        let is_drawing = path.with_extension("svg").exists()
            || path.components().any(|part| part.as_os_str() == "symbols");
        if !is_drawing {
            pictures.push(Picture { kind: CUT_OUTS, group: group(STAMPS, &path), path });
        }
    }
    let packages = std::fs::read_dir(folder.join("drawings")).unwrap();
    let mut packages: Vec<_> = packages.map(|package| package.unwrap().path()).collect();
    packages.sort();
    for package in packages {
        let name = package.file_name().unwrap().to_string_lossy().into_owned();
        for path in below(&package, &ENDINGS) {
            // Of an icon in many sizes the largest counts.
            let is_icon = name == "oxygen-icon-theme";
            if !is_icon || path.to_string_lossy().contains("/256x256/") {
                pictures.push(Picture { kind: DRAWINGS, group: group(&name, &path), path });
            }
        }
    }
    pictures
}

/// Returns the places of the pictures that are asked about: all but drawings, and this many
/// drawings of each half.
pub fn chosen(pictures: &[&Picture], drawings_per_half: usize) -> Vec<usize> {
    let mut drawings = Vec::new();
    let mut chosen = Vec::new();
    for (place, picture) in pictures.iter().enumerate() {
        if picture.kind == DRAWINGS { drawings.push(place) } else { chosen.push(place) }
    }
    // A few of each half, in an order independent of their packages.
    drawings
        .sort_by_key(|place| content_digest(pictures[*place].path.as_os_str().as_encoded_bytes()));
    for half in Half::ALL {
        let of_half =
            drawings.iter().filter(|place| Half::from_group(&pictures[**place].group) == half);
        chosen.extend(of_half.take(drawings_per_half));
    }
    chosen
}

fn asked(pictures: &[&Picture]) -> Vec<Asked> {
    let asked = in_parallel(&chosen(pictures, ASKED_DRAWINGS), |place| {
        let picture = pictures[*place];
        let Some(opened) = opened_to_ask(picture) else { return Vec::new() };
        let changed = match picture.kind {
            DRAWINGS => changes::few(&opened),
            _ => changes::all(&opened, &picture.group),
        };
        let asked = changed.into_iter().map(|(transformation, is_copy, changed)| Asked {
            kind: picture.kind,
            transformation,
            is_copy,
            has_goal: is_copy && [PHOTOGRAPHS, UNSEEN].contains(&picture.kind),
            work: *place,
            probes: Seen::new(&changed).map(|seen| seen.probes()).unwrap_or_default(),
        });
        asked.collect()
    });
    asked.into_iter().flatten().collect()
}

/// Returns a picture unless it is a small cut-out.
pub fn opened_to_ask(picture: &Picture) -> Option<DynamicImage> {
    let opened = opened(&picture.path, WORK_SIDE)?;
    let is_small = opened.width().max(opened.height()) < MIN_CUT_OUT_SIDE;
    (picture.kind != CUT_OUTS || !is_small).then_some(opened)
}

/// Returns a picture on white, with its longer side at most this long.
pub fn opened(path: &Path, side: u32) -> Option<DynamicImage> {
    let picture = image::ImageReader::open(path).ok()?.with_guessed_format().ok()?.decode().ok()?;
    let is_large = picture.width().max(picture.height()) > side;
    let picture = if is_large { picture.thumbnail(side, side) } else { picture };
    let mut white = RgbaImage::from_pixel(picture.width(), picture.height(), Rgba([255; 4]));
    image::imageops::overlay(&mut white, &picture.to_rgba8(), 0, 0);
    Some(DynamicImage::ImageRgb8(DynamicImage::ImageRgba8(white).to_rgb8()))
}
