//! A Zarr store: a group with the arrays `nngp` and `ntk`, and what they belong to.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, ErrorKind, Read, Write},
    ops::Range,
    path::{Path, PathBuf},
};

use ekernel_system::{atomic, plain};
use ndarray::{Array2, ArrayView2, s};
use serde_json::Value;

use super::{
    header::{Content, Element, Kernel},
    layout::{Block, Layout},
    object,
};
use crate::{Difference, GramError, store::Unreadable};

/// The metadata of a group and of an array.
const METADATA: &str = "zarr.json";
const USE_ANOTHER: &str = "give another store";
const MAKE_ROOM: &str = "make room or mend the disk and run again: the blocks finished so far are kept";
const RUN_AGAIN: &str = "run its shard again, which computes the block anew";

/// A Gram matrix in a Zarr store, or the part of it that has been computed.
///
/// A group (Zarr version 3) with the arrays `nngp` and `ntk`, shape (n₁, n₂). An entry that is
/// missing is NaN; of one set with itself that is also every entry of the blocks above the diagonal,
/// which the methods here fill in from their mirror images.
#[derive(Clone, Debug)]
pub struct ZarrStore {
    path: PathBuf,
    content: Content,
    kernels: Vec<Kernel>,
}

/// How far a store is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// Blocks in all.
    pub blocks: usize,
    /// Numbers of the blocks that one of the arrays lacks.
    pub missing: Vec<usize>,
    /// Numbers of the blocks of which an array has a damaged one.
    pub damaged: Vec<usize>,
}

/// What an array has of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    Whole,
    /// Truncated or altered.
    Damaged,
    Missing,
}

impl ZarrStore {
    /// Opens a store to read it.
    ///
    /// # Errors
    /// A folder that is no store of ekernel, or that is damaged or of another version.
    pub fn open(path: &Path) -> Result<ZarrStore, GramError> {
        let Some(content) = stored(path)? else {
            let source = io::Error::new(ErrorKind::NotFound, "it has no zarr.json");
            return Err(error("read", path, source, "give a store that `ekernel gram --out K.zarr` wrote"));
        };
        let mut store = ZarrStore { path: path.to_owned(), content, kernels: Vec::new() };
        let due = store.content.array();
        for kernel in Kernel::ALL {
            let file = store.array(kernel).join(METADATA);
            match read(&file).map_err(|source| error("read", &file, source, USE_ANOTHER))? {
                Some(found) if found == due => store.kernels.push(kernel),
                Some(_) => {
                    let problem = "it is not the array that its group describes".to_owned();
                    return Err(GramError::Manifest { place: file.display().to_string(), problem });
                }
                None => {}
            }
        }
        Ok(store)
    }

    /// Opens or makes the store of this content, with at least these arrays.
    pub(super) fn prepare(path: &Path, content: Content, kernels: &[Kernel]) -> Result<ZarrStore, GramError> {
        let differs = |differences| GramError::Differs { store: path.display().to_string(), differences };
        let found = match stored(path)? {
            Some(found) => found,
            None => {
                let refused = |source| error("make", path, source, USE_ANOTHER);
                if let Some(found) = foreign(path).map_err(refused)? {
                    return Err(GramError::Occupied { folder: path.to_owned(), found });
                }
                fs::create_dir_all(path).map_err(refused)?;
                // Of several processes that come here at the same time the first one makes it.
                atomic::write_new(&path.join(METADATA), |file| file.write_all(&content.group()))
                    .map_err(refused)?;
                stored(path)?.ok_or_else(|| refused(ErrorKind::NotFound.into()))?
            }
        };
        let mut differences = found.identity.differences(&content.identity);
        if found.element != content.element {
            let [stored, now] = [found.element, content.element].map(|element| element.name().to_owned());
            differences.push(Difference { what: "the type of numbers".to_owned(), stored, now });
        }
        if found.layout != content.layout && differences.is_empty() {
            differences.push(Difference::of_tiles(found.layout.chunk(), content.layout.chunk()));
        }
        if !differences.is_empty() {
            return Err(differs(differences));
        }
        for &kernel in kernels {
            let file = path.join(kernel.name()).join(METADATA);
            if !file.exists() {
                write(&file, &found.array()).map_err(|source| error("write", &file, source, USE_ANOTHER))?;
            }
        }
        ZarrStore::open(path)
    }

    /// The chunk side of the store at `path`, if there is one.
    pub(super) fn chunk_of(path: &Path) -> Result<Option<usize>, GramError> {
        Ok(stored(path)?.map(|content| content.layout.chunk().into_iter().max().unwrap_or(1)))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How it is cut.
    pub fn layout(&self) -> &Layout {
        &self.content.layout
    }

    /// The arrays it has.
    pub fn kernels(&self) -> &[Kernel] {
        &self.kernels
    }

    /// Its type of numbers.
    pub fn element(&self) -> Element {
        self.content.element
    }

    /// What was kept with it when it was made: an object of JSON.
    pub fn notes(&self) -> &Value {
        &self.content.notes
    }

    /// Bytes of the object of each array for a block.
    pub fn bytes_of(&self, block: &Block) -> u64 {
        let shape = [block.rows.len(), block.cols.len()];
        object::length(shape, self.layout(), self.element()) as u64
    }

    /// Which blocks there are: by the lengths of their files, or by every byte if `thorough`.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn status(&self, thorough: bool) -> Result<Status, GramError> {
        let blocks = self.layout().len();
        let mut status = Status { blocks, missing: Vec::new(), damaged: Vec::new() };
        for index in 0..blocks {
            let block = self.layout().at(index);
            let mut found = if self.kernels.is_empty() { Found::Missing } else { Found::Whole };
            for &kernel in &self.kernels {
                match self.look(kernel, &block, thorough)? {
                    Found::Damaged => found = Found::Damaged,
                    Found::Missing if found == Found::Whole => found = Found::Missing,
                    Found::Missing | Found::Whole => {}
                }
            }
            match found {
                Found::Missing => status.missing.push(index),
                Found::Damaged => status.damaged.push(index),
                Found::Whole => {}
            }
        }
        Ok(status)
    }

    /// The entries K\[rows, cols\] of an array, those above the diagonal by their mirror images.
    ///
    /// # Errors
    /// A block that is missing or damaged, an array that the store does not have.
    ///
    /// # Panics
    /// If the ranges reach beyond the matrix.
    pub fn window(
        &self,
        kernel: Kernel,
        rows: Range<usize>,
        cols: Range<usize>,
    ) -> Result<Array2<f64>, GramError> {
        let [rows, cols] = [rows, cols].map(|range| range.collect::<Vec<_>>());
        self.select(kernel, &rows, &cols)
    }

    /// The entries K\[rows, cols\] of an array, in any order; each chunk that has some is read once.
    ///
    /// # Errors
    /// As [`window`](Self::window).
    ///
    /// # Panics
    /// If an index is beyond the matrix.
    pub fn select(&self, kernel: Kernel, rows: &[usize], cols: &[usize]) -> Result<Array2<f64>, GramError> {
        let [n, m] = self.layout().shape();
        assert!(rows.iter().all(|&row| row < n) && cols.iter().all(|&col| col < m), "beyond {n} × {m}");
        self.ensure_has(kernel)?;
        let [height, width] = self.layout().chunk();
        let mut selected = Array2::zeros((rows.len(), cols.len()));
        let cols = by_chunk(cols, width);
        for (i, rows) in by_chunk(rows, height) {
            for (j, cols) in &cols {
                let (stored, mirrored) = self.layout().stored([i, *j]);
                let chunk = self.chunk(kernel, stored)?;
                let chunk = if mirrored { chunk.t() } else { chunk.view() };
                for &(to_row, row) in &rows {
                    let from = chunk.row(row);
                    let mut into = selected.row_mut(to_row);
                    cols.iter().for_each(|&(to_col, col)| into[to_col] = from[col]);
                }
            }
        }
        Ok(selected)
    }

    /// The chunks of an array that are stored, as (row, column) among all chunks, row by row. Of one
    /// set those above the diagonal are mirror images, and not among them.
    pub fn stored_chunks(&self) -> impl Iterator<Item = [usize; 2]> + use<> {
        let layout = self.layout().clone();
        let [rows, cols] = [0, 1].map(|axis| layout.shape()[axis].div_ceil(layout.chunk()[axis]));
        (0..rows).flat_map(move |i| {
            let end = if layout.is_symmetric() { i + 1 } else { cols };
            (0..end).map(move |j| [i, j])
        })
    }

    /// The entries of a chunk of [`stored_chunks`](Self::stored_chunks), with its place.
    ///
    /// # Errors
    /// As [`window`](Self::window).
    pub fn read_chunk(&self, kernel: Kernel, chunk: [usize; 2]) -> Result<(Block, Array2<f64>), GramError> {
        let values = self.chunk(kernel, chunk)?;
        let [rows, cols] = [0, 1].map(|axis| {
            let start = chunk[axis] * self.layout().chunk()[axis];
            start..start + values.shape()[axis]
        });
        Ok((Block { place: chunk, rows, cols }, values))
    }

    /// A name for what was computed: stores of one computation have the same.
    pub fn fingerprint(&self) -> String {
        self.content.identity.fingerprint().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Checks that the columns of this store are the samples of `train`, under the same kernel.
    ///
    /// # Errors
    /// Everything that differs.
    pub fn ensure_predicts_from(&self, train: &ZarrStore) -> Result<(), GramError> {
        let differences = train.content.identity.differences(&self.content.identity.of_second());
        if differences.is_empty() {
            return Ok(());
        }
        Err(GramError::Differs { store: train.path.display().to_string(), differences })
    }

    /// Looks for a block: at the length of its file, or at every byte if `thorough`.
    pub(super) fn look(&self, kernel: Kernel, block: &Block, thorough: bool) -> Result<Found, GramError> {
        let path = self.object(kernel, block.place);
        let unreadable = |source| error("read", &path, source, RUN_AGAIN);
        let file = match plain::open(&path, File::options().read(true)) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Found::Missing),
            file => file.map_err(unreadable)?,
        };
        if file.metadata().map_err(unreadable)?.len() != self.bytes_of(block) {
            return Ok(Found::Damaged);
        }
        if thorough {
            let [height, width] = self.layout().chunk();
            for i in chunks(&block.rows, height) {
                for j in chunks(&block.cols, width) {
                    match self.chunk(kernel, [i, j]) {
                        Ok(_) => {}
                        Err(GramError::Store { source, .. }) if source.kind() == ErrorKind::InvalidData => {
                            return Ok(Found::Damaged);
                        }
                        Err(error) => return Err(error),
                    }
                }
            }
        }
        Ok(Found::Whole)
    }

    /// Writes a block whole.
    pub(super) fn write(
        &self,
        kernel: Kernel,
        block: &Block,
        values: ArrayView2<'_, f64>,
    ) -> Result<(), GramError> {
        let path = self.object(kernel, block.place);
        write(&path, &object::encode(values, self.layout(), self.element()))
            .map_err(|source| error("write", &path, source, MAKE_ROOM))
    }

    /// Checks that the store has an array.
    pub fn ensure_has(&self, kernel: Kernel) -> Result<(), GramError> {
        if self.kernels.contains(&kernel) {
            return Ok(());
        }
        let source = io::Error::new(ErrorKind::NotFound, "the store has no such array");
        Err(error("read", &self.array(kernel), source, "ask for the other kernel, or compute this one too"))
    }

    /// The entries of the stored chunk (row, column); every one is finite.
    fn chunk(&self, kernel: Kernel, chunk: [usize; 2]) -> Result<Array2<f64>, GramError> {
        let (layout, inner) = (self.layout(), self.layout().inner());
        let place = [0, 1].map(|axis| chunk[axis] / inner[axis]);
        let path = self.object(kernel, place);
        let mut file = plain::open(&path, File::options().read(true)).map_err(|source| {
            let remedy = match source.kind() {
                ErrorKind::NotFound => "it has not been computed; `ekernel status` names the shards to run",
                _ => RUN_AGAIN,
            };
            error("read", &path, source, remedy)
        })?;
        let values = object::read_chunk(
            &mut file,
            [0, 1].map(|axis| chunk[axis] % inner[axis]),
            layout,
            self.element(),
        )
        .map_err(|source| error("read", &path, source, RUN_AGAIN))?;
        let [rows, cols] = [0, 1].map(|axis| {
            let start = chunk[axis] * layout.chunk()[axis];
            layout.chunk()[axis].min(layout.shape()[axis] - start)
        });
        let values = values.slice_move(s![..rows, ..cols]);
        if values.iter().all(|value| value.is_finite()) {
            return Ok(values);
        }
        let source = io::Error::new(ErrorKind::InvalidData, "it holds NaN or an infinity");
        Err(error("read", &path, source, RUN_AGAIN))
    }

    fn array(&self, kernel: Kernel) -> PathBuf {
        self.path.join(kernel.name())
    }

    fn object(&self, kernel: Kernel, [row, col]: [usize; 2]) -> PathBuf {
        self.array(kernel).join("c").join(row.to_string()).join(col.to_string())
    }
}

/// Indices by the chunk of `side` that they lie in, each as its position and its index there.
fn by_chunk(indices: &[usize], side: usize) -> BTreeMap<usize, Vec<(usize, usize)>> {
    let mut chunks = BTreeMap::<usize, Vec<(usize, usize)>>::new();
    for (position, index) in indices.iter().enumerate() {
        chunks.entry(index / side).or_default().push((position, index % side));
    }
    chunks
}

/// The indices of the chunks of `side` that a range touches.
fn chunks(range: &Range<usize>, side: usize) -> Range<usize> {
    range.start / side..range.end.div_ceil(side)
}

/// The content of the store at a path; `None` if there is none.
fn stored(path: &Path) -> Result<Option<Content>, GramError> {
    let file = path.join(METADATA);
    let Some(bytes) = read(&file).map_err(|source| error("read", &file, source, USE_ANOTHER))? else {
        return Ok(None);
    };
    Content::parse(&bytes).map(Some).map_err(|unreadable| match unreadable {
        Unreadable::Damaged(problem) => GramError::Manifest { place: file.display().to_string(), problem },
        Unreadable::OtherFormat(format) => GramError::Format { store: path.display().to_string(), format },
    })
}

/// The bytes of a file; `None` if there is none.
fn read(file: &Path) -> io::Result<Option<Vec<u8>>> {
    let mut file = match plain::open(file, File::options().read(true)) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(Some(bytes))
}

fn write(file: &Path, bytes: &[u8]) -> io::Result<()> {
    fs::create_dir_all(atomic::folder_of(file))?;
    atomic::write_in_place_of(file, |file| file.write_all(bytes))
}

/// A file that no run writes, in a folder without a group.
fn foreign(path: &Path) -> io::Result<Option<String>> {
    let entries = match fs::read_dir(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        entries => entries?,
    };
    let mut names = Vec::new();
    for entry in entries {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    // Looked at last: another process may have made the store meanwhile.
    if path.join(METADATA).exists() {
        return Ok(None);
    }
    names.retain(|name| !atomic::is_partial(name));
    Ok(names.into_iter().min())
}

fn error(action: &'static str, path: &Path, source: io::Error, remedy: &'static str) -> GramError {
    GramError::Store { action, place: path.display().to_string(), source, remedy }
}
