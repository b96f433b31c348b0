"""A text as sound: espeak-ng's Mandarin, asked each time whether it is Mandarin. For loudspeakers and
telephones alike."""
