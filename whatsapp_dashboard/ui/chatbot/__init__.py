"""The Chatbot page."""
