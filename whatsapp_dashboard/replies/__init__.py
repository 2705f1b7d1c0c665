"""Who answers a conversation: a person, a bot, or nobody."""
