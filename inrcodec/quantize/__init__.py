"""Real numbers to integers, judged by the final rate-distortion cost."""
