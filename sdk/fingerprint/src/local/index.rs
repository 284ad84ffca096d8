use std::{borrow::Borrow, sync::Arc};

use super::{
    features::{Features, Query},
    geometry::{Pair, Transform, expected, fit},
    keypoint::Keypoint,
    pattern::TURN,
};

/// Number of tables, each over other bits of the descriptors.
const TABLES: usize = 4;
/// Maximum number of bits of a table's keys.
const KEY_BITS: u32 = 18;
/// Entries per key at which a table has more keys.
const LOAD: u32 = 32;
/// Maximum number of a work's keypoints under one key, so that repeated descriptors cannot fill it.
const PER_WORK: usize = 4;
/// Maximum number of entries read under one key, earliest work first.
const MAX_READ: usize = 512;
/// Maximum number of different bits among the 32 bits of a sketch.
const SKETCH_RADIUS: u32 = 8;
/// Maximum number of a work's votes that are compared with each other.
const MAX_VOTES: usize = 64;
/// Minimum number of votes that agree in direction and scale.
const MIN_AGREEING: usize = 3;
/// Maximum number of works whose geometry is verified.
const MAX_VERIFIED: usize = 16;
/// Maximum number of different bits of matched descriptors.
const RADIUS: u32 = 56;
/// Maximum number of works in a segment that an insertion merges.
const MAX_MERGED: usize = 4_096;

/// Registered work found in a picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Match<W> {
    /// Work.
    pub work: W,
    /// Number of places in both pictures that fit the transformation; at least
    /// [`LocalIndex::MIN_INLIERS`], and more in crowded pictures.
    pub inliers: u32,
    /// Maps positions in the query to positions in the work.
    pub transform: Transform,
}

/// Index of registered pictures by their local features.
///
/// Locality-sensitive hashing (P. Indyk and R. Motwani, 1998): descriptors that agree in eighteen
/// given bits share a key in one of four tables. Works whose keypoints agree with a query's in
/// direction and scale are candidates, and the geometry of their keypoints is verified.
///
/// Work per query is bounded: entries read per descriptor, votes per descriptor and work, verified
/// works. Works that were inserted first come first under a crowded key, so insert in the order of
/// registration. A work with features of another work's picture is found with it: which work was
/// registered first is for the caller to judge.
#[derive(Clone, Debug)]
pub struct LocalIndex<W> {
    segments: Vec<Arc<Segment<W>>>,
}

#[derive(Clone, Debug)]
struct Segment<W> {
    works: Vec<Described<W>>,
    /// All works' keypoints, by work and then in order.
    points: Vec<Keypoint>,
    tables: Vec<Table>,
}

#[derive(Clone, Copy, Debug)]
struct Described<W> {
    work: W,
    /// Start of its keypoints.
    start: u32,
    frame_pixel: f32,
    /// Area of the frame, pixels.
    area: f32,
}

#[derive(Clone, Debug)]
struct Table {
    key_bits: u32,
    starts: Vec<u32>,
    entries: Vec<Entry>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Entry {
    point: u32,
    sketch: u32,
}

/// Two keypoints with a common key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Vote {
    work: u32,
    is_mirrored: bool,
    asked: u32,
    distance: u32,
    point: u32,
}

/// Work whose geometry is to be verified.
#[derive(Clone, Copy, Debug)]
struct Candidate {
    work: u32,
    is_mirrored: bool,
    agreeing: usize,
    /// Difference of directions and of levels that most votes agree in.
    turn: u8,
    rise: i16,
}

impl<W> Default for LocalIndex<W> {
    fn default() -> Self {
        Self { segments: Vec::new() }
    }
}

impl<W> Default for Segment<W> {
    fn default() -> Self {
        Self { works: Vec::new(), points: Vec::new(), tables: Vec::new() }
    }
}

impl<W: Copy> LocalIndex<W> {
    /// Maximum number of works found.
    pub const MAX_MATCHES: usize = MAX_VERIFIED;
    /// Minimum number of places that fit a transformation.
    pub const MIN_INLIERS: u32 = 10;

    /// Creates an index of works, earliest registration first.
    pub fn new<F: Borrow<Features>>(works: impl IntoIterator<Item = (W, F)>) -> Self {
        let mut segment = Segment::default();
        for (work, features) in works {
            let features = features.borrow();
            segment.push(work, features.frame_pixel(), features.area(), features.points());
        }
        if segment.works.is_empty() {
            return Self::default();
        }
        Self { segments: vec![Arc::new(segment.sorted())] }
    }

    /// Adds a work. Small segments are merged; create the index anew after many insertions.
    pub fn insert(&mut self, work: W, features: &Features) {
        let mut merged = 1;
        let mut kept = self.segments.len();
        while let Some(last) = self.segments[..kept].last() {
            if last.works.len() > merged || last.works.len() + merged > MAX_MERGED {
                break;
            }
            merged += last.works.len();
            kept -= 1;
        }
        let mut segment = Segment::default();
        for small in self.segments.drain(kept..) {
            for (place, work) in small.works.iter().enumerate() {
                let points = &small.points[small.range(place)];
                segment.push(work.work, work.frame_pixel, work.area, points);
            }
        }
        segment.push(work, features.frame_pixel(), features.area(), features.points());
        self.segments.push(Arc::new(segment.sorted()));
    }

    /// Returns the number of works.
    pub fn len(&self) -> usize {
        self.segments.iter().map(|segment| segment.works.len()).sum()
    }

    /// Whether the index is empty.
    pub fn is_empty(&self) -> bool {
        self.segments.is_empty()
    }

    /// Returns the memory of the index, bytes.
    pub fn memory(&self) -> usize {
        self.segments.iter().map(|segment| segment.memory()).sum()
    }

    /// Returns the works found in a picture, most inliers first, at most [`Self::MAX_MATCHES`].
    pub fn find(&self, query: &Query) -> Vec<Match<W>> {
        let mut found = self.find_with(query, Self::MIN_INLIERS);
        found.truncate(Self::MAX_MATCHES);
        found
    }

    /// Returns the works with at least this number of inliers. For evaluations.
    #[doc(hidden)]
    pub fn find_with(&self, query: &Query, min_inliers: u32) -> Vec<Match<W>> {
        let mirrored: Vec<_> = query.points.iter().map(Keypoint::mirrored).collect();
        let segments =
            self.segments.iter().flat_map(|segment| segment.find(query, &mirrored, min_inliers));
        let mut found: Vec<_> = segments.collect();
        found.sort_by_key(|found| std::cmp::Reverse(found.inliers)); // stable: earliest first
        found
    }
}

impl<W: Copy> Segment<W> {
    fn push(&mut self, work: W, frame_pixel: f32, area: f32, points: &[Keypoint]) {
        let start = self.points.len() as u32; // below 2^32
        self.works.push(Described { work, start, frame_pixel, area });
        self.points.extend_from_slice(points);
    }

    /// Creates the tables.
    fn sorted(mut self) -> Self {
        self.tables = (0..TABLES).map(|table| self.table(table)).collect();
        self
    }

    fn table(&self, table: usize) -> Table {
        let key_bits = (self.points.len() as u32 / LOAD).max(1).ilog2().clamp(6, KEY_BITS);
        let mut starts = vec![0_u32; (1 << key_bits) + 1];
        self.for_each_entry(table, key_bits, |key, _| starts[key + 1] += 1);
        for key in 0..1 << key_bits {
            starts[key + 1] += starts[key];
        }
        let mut next = starts.clone();
        let mut entries = vec![Entry::default(); starts[1 << key_bits] as usize];
        self.for_each_entry(table, key_bits, |key, entry| {
            entries[next[key] as usize] = entry;
            next[key] += 1;
        });
        Table { key_bits, starts, entries }
    }

    fn for_each_entry(&self, table: usize, key_bits: u32, mut each: impl FnMut(usize, Entry)) {
        let mut keys = Vec::new();
        for work in 0..self.works.len() {
            keys.clear();
            let range = self.range(work);
            keys.extend(range.map(|point| (key(&self.points[point].bits, table, key_bits), point)));
            keys.sort_unstable();
            for place in 0..keys.len() {
                let (key, point) = keys[place];
                if place < PER_WORK || keys[place - PER_WORK].0 != key {
                    let sketch = sketch(&self.points[point].bits, table);
                    each(key, Entry { point: point as u32, sketch }); // below 2^32
                }
            }
        }
    }

    /// Returns the places of a work's keypoints.
    fn range(&self, work: usize) -> std::ops::Range<usize> {
        let end = self.works.get(work + 1).map_or(self.points.len(), |next| next.start as usize);
        self.works[work].start as usize..end
    }

    fn memory(&self) -> usize {
        let tables = self
            .tables
            .iter()
            .map(|table| size_of_val(&table.starts[..]) + size_of_val(&table.entries[..]));
        let tables: usize = tables.sum();
        size_of_val(&self.works[..]) + size_of_val(&self.points[..]) + tables
    }

    fn find(&self, query: &Query, mirrored: &[Keypoint], min_inliers: u32) -> Vec<Match<W>> {
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("popcnt") {
            // SAFETY: this processor has the instruction.
            return unsafe { self.find_with_popcnt(query, mirrored, min_inliers) };
        }
        self.find_by_votes(query, mirrored, min_inliers)
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "popcnt")]
    fn find_with_popcnt(
        &self,
        query: &Query,
        mirrored: &[Keypoint],
        min_inliers: u32,
    ) -> Vec<Match<W>> {
        self.find_by_votes(query, mirrored, min_inliers)
    }

    #[inline(always)]
    fn find_by_votes(
        &self,
        query: &Query,
        mirrored: &[Keypoint],
        min_inliers: u32,
    ) -> Vec<Match<W>> {
        let mut votes = Vec::new();
        self.vote(&query.points, false, &mut votes);
        self.vote(mirrored, true, &mut votes);
        votes.sort_unstable();
        // One vote of a keypoint for a work: the nearest.
        votes.dedup_by_key(|vote| (vote.work, vote.is_mirrored, vote.asked));
        let points = |is_mirrored| if is_mirrored { mirrored } else { &query.points[..] };
        let groups = votes
            .chunk_by(|one, other| (one.work, one.is_mirrored) == (other.work, other.is_mirrored));
        let mut candidates: Vec<_> = groups
            .filter(|votes| votes.len() >= MIN_AGREEING)
            .map(|votes| self.candidate(votes, points(votes[0].is_mirrored)))
            .filter(|candidate| candidate.agreeing >= MIN_AGREEING)
            .collect();
        candidates.sort_by_key(|candidate| std::cmp::Reverse(candidate.agreeing)); // stable
        let mut found: Vec<Match<W>> = Vec::new();
        let mut places = Vec::new();
        for candidate in candidates.into_iter().take(MAX_VERIFIED) {
            let points = points(candidate.is_mirrored);
            let mut pairs = self.pairs(&candidate, points);
            let Some((transform, inliers)) = fit(&mut pairs, candidate.is_mirrored) else {
                continue;
            };
            let work = &self.works[candidate.work as usize];
            if inliers < min_inliers + expected(&pairs, work.area) {
                continue;
            }
            let transform = transform.between(query.frame_pixel, work.frame_pixel);
            let one = Match { work: work.work, inliers, transform };
            match places.iter().position(|place| *place == candidate.work) {
                Some(known) if found[known].inliers < inliers => found[known] = one,
                Some(_) => {}
                None => {
                    places.push(candidate.work);
                    found.push(one);
                }
            }
        }
        found
    }

    #[inline(always)]
    fn vote(&self, asked: &[Keypoint], is_mirrored: bool, votes: &mut Vec<Vote>) {
        for (number, table) in self.tables.iter().enumerate() {
            for (place, point) in (0..).zip(asked) {
                let key = key(&point.bits, number, table.key_bits);
                let sought = sketch(&point.bits, number);
                let (start, end) = (table.starts[key] as usize, table.starts[key + 1] as usize);
                for entry in &table.entries[start..end.min(start + MAX_READ)] {
                    if (entry.sketch ^ sought).count_ones() <= SKETCH_RADIUS {
                        let other = &self.points[entry.point as usize];
                        if let Some(distance) = near(point, other) {
                            let work = self.work_of(entry.point);
                            let point = entry.point;
                            votes.push(Vote { work, is_mirrored, asked: place, distance, point });
                        }
                    }
                }
            }
        }
    }

    fn work_of(&self, point: u32) -> u32 {
        // Works without keypoints start where the next one starts.
        self.works.partition_point(|work| work.start <= point) as u32 - 1
    }

    /// Returns the difference of direction and level that most votes, of the nearest ones, agree
    /// in.
    fn candidate(&self, votes: &[Vote], asked: &[Keypoint]) -> Candidate {
        let mut nearest: Vec<_> = votes.iter().collect();
        nearest.sort_by_key(|vote| vote.distance); // stable
        nearest.truncate(MAX_VOTES);
        let difference = |vote: &&Vote| {
            let (one, other) = (&asked[vote.asked as usize], &self.points[vote.point as usize]);
            let turn = (other.angle + TURN as u8 - one.angle) % TURN as u8;
            (turn, i16::from(other.level) - i16::from(one.level))
        };
        let differences: Vec<_> = nearest.iter().map(difference).collect();
        let mut best = Candidate {
            work: votes[0].work,
            is_mirrored: votes[0].is_mirrored,
            agreeing: 0,
            turn: 0,
            rise: 0,
        };
        for (turn, rise) in &differences {
            let agree = |(other, level): &&(u8, i16)| {
                turn_between(*turn, *other) <= 3 && rise.abs_diff(*level) <= 1
            };
            let agreeing = differences.iter().filter(agree).count();
            if agreeing > best.agreeing {
                best = Candidate { agreeing, turn: *turn, rise: *rise, ..best };
            }
        }
        best
    }

    /// Pairs each keypoint of a query with the nearest one of a work in about the same relative
    /// direction and scale.
    #[inline(always)]
    fn pairs(&self, candidate: &Candidate, asked: &[Keypoint]) -> Vec<Pair> {
        let of_work = &self.points[self.range(candidate.work as usize)];
        let starts: [usize; TURN + 1] = std::array::from_fn(|angle| {
            of_work.partition_point(|point| usize::from(point.angle) < angle)
        });
        let mut pairs = Vec::new();
        for point in asked {
            let mut nearest: Option<(u32, &Keypoint)> = None;
            for off in 0..9 {
                let angle = usize::from(point.angle) + usize::from(candidate.turn) + TURN + off - 4;
                let angle = angle % TURN;
                for other in &of_work[starts[angle]..starts[angle + 1]] {
                    let rise = i16::from(other.level) - i16::from(point.level);
                    if rise.abs_diff(candidate.rise) > 2 {
                        continue;
                    }
                    let Some(distance) = near(point, other) else { continue };
                    if nearest.is_none_or(|(least, _)| distance < least) {
                        nearest = Some((distance, other));
                    }
                }
            }
            if let Some((distance, other)) = nearest {
                pairs.push(Pair::new(point, other, candidate.is_mirrored, distance));
            }
        }
        pairs
    }
}

fn key(bits: &[u64; 4], table: usize, key_bits: u32) -> usize {
    (bits[table] & ((1 << key_bits) - 1)) as usize // at most KEY_BITS bits
}

fn sketch(bits: &[u64; 4], table: usize) -> u32 {
    (bits[table] >> 32) as u32
}

/// Returns the number of different bits if it is within [`RADIUS`] and at most half of the mean
/// number of set bits: plain surroundings set few.
#[inline(always)]
fn near(one: &Keypoint, other: &Keypoint) -> Option<u32> {
    let pairs = one.bits.iter().zip(&other.bits);
    let distance: u32 = pairs.map(|(one, other)| (one ^ other).count_ones()).sum();
    if distance > RADIUS {
        return None;
    }
    let set: u32 = one.bits.iter().chain(&other.bits).map(|word| word.count_ones()).sum();
    (4 * distance <= set).then_some(distance)
}

fn turn_between(one: u8, other: u8) -> u8 {
    let apart = one.abs_diff(other);
    apart.min(TURN as u8 - apart)
}
