"""Reading and writing media as people have them: one file per modality, codecs beside them."""
