mod token_codec;
