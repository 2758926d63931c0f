use std::collections::BTreeSet;

use toml_edit::DocumentMut;

use super::*;

/// Every prompt in both languages.
fn all() -> impl Iterator<Item = (PromptId, Language)> {
    let both = |id: &PromptId| Language::ALL.map(|language| (*id, language));
    PromptId::ALL.iter().flat_map(both)
}

/// RMS of samples, full scale 1.0.
fn rms(samples: &[i16]) -> f64 {
    let energy: f64 = samples.iter().map(|s| (f64::from(*s) / 32_768.0).powi(2)).sum();
    (energy / samples.len() as f64).sqrt()
}

#[test]
fn every_prompt_is_a_sound_sentence_in_both_languages() {
    let mut levels = Vec::new();
    for (id, language) in all() {
        let pcm = decode(ogg(id, language)).unwrap_or_else(|e| panic!("{id} {language:?}: {e}"));
        assert_eq!(pcm.rate_hz, 24_000, "{id} {language:?}");
        let seconds = pcm.samples.len() as f64 / 24_000.0;
        assert!((0.3..15.0).contains(&seconds), "{id} {language:?} lasts {seconds} s");
        let peak = pcm.samples.iter().map(|s| s.unsigned_abs()).max().unwrap();
        assert!((16_000..30_000).contains(&peak), "{id} {language:?} peaks at {peak}");
        levels.push(20.0 * rms(&pcm.samples).log10());
        // Speech from about 60 ms on, and an end that does not click.
        let start = rms(&pcm.samples[..24_000 / 4]);
        assert!(start > 0.01, "{id} {language:?} starts with silence ({start})");
        let end = rms(&pcm.samples[pcm.samples.len() - 240..]);
        assert!(end < 0.01, "{id} {language:?} breaks off ({end})");
    }
    let quietest = levels.iter().copied().fold(f64::INFINITY, f64::min);
    let loudest = levels.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    assert!(quietest > -24.0, "the quietest prompt has {quietest} dBFS");
    assert!(loudest - quietest < 6.0, "from {quietest} to {loudest} dBFS");
}

#[test]
fn all_sound_together_stays_small() {
    let file = |(id, language): (PromptId, Language)| {
        let folder = match language {
            Language::ZhCn => "zh-CN",
            Language::En => "en",
        };
        let name = format!("{}/prompts/{folder}/{}.ogg", env!("CARGO_MANIFEST_DIR"), id.as_str());
        assert_eq!(std::fs::read(&name).unwrap(), ogg(id, language), "{name}");
        rest(id, language).len()
    };
    let bytes: usize = all().map(file).sum::<usize>() + HEAD.len();
    assert!(HEAD.len() > 3_000, "the tables of the encoder are stored once");
    assert!(bytes < 3_000_000, "{bytes} bytes");
}

#[test]
fn no_two_prompts_are_the_same_sound() {
    let sounds: BTreeSet<Vec<u8>> = all().map(|(id, language)| ogg(id, language)).collect();
    assert_eq!(sounds.len(), all().count());
}

/// A changed text that was not rendered again, or a prompt on one side only, is found here.
#[test]
fn the_catalogue_and_what_was_rendered_agree() {
    let catalogue: DocumentMut = include_str!("../../prompts/prompts.toml").parse().unwrap();
    let rows = catalogue["prompt"].as_array_of_tables().unwrap();
    let ids: Vec<&str> = rows.iter().map(|row| row["id"].as_str().unwrap()).collect();
    let known: Vec<&str> = PromptId::ALL.iter().map(|id| id.as_str()).collect();
    assert_eq!(ids, known);
    for row in rows {
        let id: PromptId = row["id"].as_str().unwrap().parse().unwrap();
        assert_eq!(row["class"].as_str(), Some(id.class().as_str()), "class of {id}");
        for (key, language) in [("zh", Language::ZhCn), ("en", Language::En)] {
            let rendered = Some(text(id, language));
            assert_eq!(row[key].as_str(), rendered, "{id} {key}: run prompts/render/render.py");
        }
    }
}

#[test]
fn rooms_and_ids_are_found_by_name() {
    assert_eq!(PromptId::for_room("bathroom"), Some(PromptId::RoomBathroom));
    assert_eq!(PromptId::for_room("living-room"), Some(PromptId::RoomLivingRoom));
    assert_eq!(PromptId::for_room("cellar"), None);
    assert_eq!("gas".parse(), Ok(PromptId::Gas));
    assert_eq!("gaz".parse::<PromptId>(), Err(UnknownPrompt("gaz".into())));
}

#[test]
fn the_urgent_class_is_the_highest() {
    assert!(PromptClass::Critical > PromptClass::Action);
    assert!(PromptClass::Action > PromptClass::Low);
}

#[test]
fn broken_sound_is_an_error_and_never_a_panic() {
    let good = ogg(PromptId::Test, Language::En);
    assert!(matches!(decode(Vec::new()), Err(DecodeError::Broken(_))));
    assert!(matches!(decode(*b"RIFF\0\0\0\0WAVEfmt "), Err(DecodeError::Broken(_))));
    let whole = decode(good.clone()).unwrap();
    let pages: Vec<usize> = (1..good.len()).filter(|at| good[*at..].starts_with(b"OggS")).collect();
    for cut in (0..good.len()).step_by(good.len() / 40).filter(|cut| !pages.contains(cut)) {
        assert!(matches!(decode(&good[..cut]), Err(DecodeError::Broken(_))), "cut at {cut}");
    }
    for at in (0..good.len()).step_by(499) {
        let mut broken = good.clone();
        broken[at] ^= 0x55;
        if let Ok(pcm) = decode(broken) {
            assert!(pcm.samples.len() <= whole.samples.len() * 2, "flipped at {at}");
        }
    }
}
