"""The texts whose vectors an export must not change: of all lengths and scripts, prose, code, and next to nothing."""

from __future__ import annotations

from typing import Final

REFERENCE_TEXTS: Final = (
    "",
    " ",
    "   \n\t ",
    ".",
    "a",
    "OK",
    "42",
    "The deployment failed because the database migration timed out.",
    "We decided to retry a payment three times and then to ask the customer.",
    "Which colour did Anna choose for the kitchen?",
    "[8 May 2023] Caroline: I went to a support group yesterday and it was so powerful.",
    "THE SAME SENTENCE IN CAPITAL LETTERS",
    "the same sentence in capital letters",
    "Spaces   between    words\nand\nlines\tand tabs  ",
    "naïve café, über, señor, Ångström, œuvre, İstanbul",
    "cafe\u0301 in decomposed letters",
    "Пользователь предпочитает тёмную тему.",
    "ユーザーは暗いテーマを好みます。",
    "用户更喜欢深色主题。",
    "المستخدم يفضل الوضع الداكن",
    "사용자는 어두운 테마를 선호합니다",
    "Emoji: 🚀🔥 and a family \U0001f468\u200d\U0001f469\u200d\U0001f467 in one go",
    "zero\u200bwidth and a byte order mark \ufeff",
    "async def memory_created(memory, context):\n    await context['memory_service'].get(memory.id)\n",
    "SELECT id, content FROM memories WHERE user_id = 'local' ORDER BY created_at DESC LIMIT 10;",
    '{"error": {"code": 503, "message": "the embedder does not answer"}, "retry": true}',
    "Traceback (most recent call last): KeyError: 'PLUGINS_TABLE'",
    "https://example.org/memories?project=alpha&tags=one,two#top",
    "[MASK] [SEP] [CLS] <s> </s> special tokens that stand in a text",
    "pneumonoultramicroscopicsilicovolcanoconiosis" * 4,
    "The agent wrote down what it had learned about the build. " * 12,
    "word " * 253 + "just at the edge of the window",
    "The first words count and the last ones fall out of the window of the model. " * 60,
    "x" * 20_000,
    "数据" * 2_000,
)
