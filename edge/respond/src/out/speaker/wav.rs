//! WAV files in place of a card: one file for each utterance, named so that they sort by time. The
//! header is right after every piece, so a file that was cut off can be heard up to there. The
//! folder is kept small.

use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use super::sink::{Sink, SinkError};

/// Most files kept.
const MOST_FILES: usize = 200;
/// How far writing may be ahead of hearing, as a card's buffer.
const AHEAD: Duration = Duration::from_millis(100);
const HEADER_BYTES: u64 = 44;

/// A file being written.
pub(super) struct WavFile {
    path: PathBuf,
    file: File,
    rate_hz: u32,
    samples: u32,
    /// When hearing began, if it is written no faster than it is heard.
    heard_from: Option<Instant>,
}

impl WavFile {
    /// Begins a file. `number` tells files of the same millisecond apart.
    pub(super) fn open(
        folder: &Path,
        number: u64,
        rate_hz: u32,
        paced: bool,
    ) -> Result<Self, SinkError> {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let path = folder.join(format!("{:013}-{number:06}.wav", since.as_millis()));
        let failed = |source| SinkError::File { path: path.clone(), source };
        fs::create_dir_all(folder).map_err(failed)?;
        forget_oldest(folder);
        let file = File::create(&path).map_err(failed)?;
        let heard_from = paced.then(Instant::now);
        let mut wav = Self { path, file, rate_hz, samples: 0, heard_from };
        wav.header()?;
        Ok(wav)
    }

    fn failed(&self, source: std::io::Error) -> SinkError {
        SinkError::File { path: self.path.clone(), source }
    }

    fn header(&mut self) -> Result<(), SinkError> {
        let bytes = header(self.rate_hz, self.samples);
        let written = self
            .file
            .seek(SeekFrom::Start(0))
            .and_then(|_| self.file.write_all(&bytes))
            .and_then(|()| self.file.seek(SeekFrom::End(0)));
        written.map(drop).map_err(|e| self.failed(e))
    }

    fn heard(&self) -> Duration {
        Duration::from_secs_f64(f64::from(self.samples) / f64::from(self.rate_hz))
    }

    fn wait_until_heard_but(&self, ahead: Duration) {
        let Some(from) = self.heard_from else { return };
        let until = from + self.heard().saturating_sub(ahead);
        std::thread::sleep(until.saturating_duration_since(Instant::now()));
    }
}

impl Sink for WavFile {
    fn rate_hz(&self) -> u32 {
        self.rate_hz
    }

    fn write(&mut self, piece: &[i16]) -> Result<(), SinkError> {
        let bytes: Vec<u8> = piece.iter().flat_map(|s| s.to_le_bytes()).collect();
        self.file.write_all(&bytes).map_err(|e| self.failed(e))?;
        self.samples = self.samples.saturating_add(u32::try_from(piece.len()).unwrap_or(0));
        self.header()?;
        self.wait_until_heard_but(AHEAD);
        Ok(())
    }

    fn finish(&mut self) -> Result<(), SinkError> {
        self.wait_until_heard_but(Duration::ZERO);
        Ok(())
    }

    fn cut(&mut self) {}
}

/// The header of a file of 16-bit samples on one channel (Multimedia Programming Interface and
/// Data Specifications 1.0, IBM and Microsoft 1991).
pub(super) fn header(rate_hz: u32, samples: u32) -> Vec<u8> {
    let data = samples.saturating_mul(2);
    let mut bytes = Vec::with_capacity(44);
    bytes.extend(b"RIFF");
    bytes.extend((data.saturating_add(HEADER_BYTES as u32 - 8)).to_le_bytes());
    bytes.extend(b"WAVEfmt ");
    bytes.extend(16_u32.to_le_bytes());
    bytes.extend(1_u16.to_le_bytes());
    bytes.extend(1_u16.to_le_bytes());
    bytes.extend(rate_hz.to_le_bytes());
    bytes.extend(rate_hz.saturating_mul(2).to_le_bytes());
    bytes.extend(2_u16.to_le_bytes());
    bytes.extend(16_u16.to_le_bytes());
    bytes.extend(b"data");
    bytes.extend(data.to_le_bytes());
    bytes
}

/// Keeps the folder small. A file that can not be removed is left: it is only a recording.
fn forget_oldest(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    let mut files: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|e| e == "wav"))
        .collect();
    files.sort();
    let surplus = (files.len() + 1).saturating_sub(MOST_FILES);
    for file in files.into_iter().take(surplus) {
        let _ = fs::remove_file(file);
    }
}
