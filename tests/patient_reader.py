"""A reader process as the product starts it, which waits longer for its next file: tests with nights are further apart
than the files of a night, and starting one costs more than reading an extract.

python -P patient_reader.py CHANNEL LIFELINE MEMORY SECONDS
"""

from flows.readers import process as reader

if __name__ == "__main__":
    reader.IDLE = 120.0
    reader.run()
