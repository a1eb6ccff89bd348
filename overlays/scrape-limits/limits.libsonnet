// An overlay can import only files in its folder or below.
{
  prod: { sampleLimit: 100000, labelLimit: 64 },
  dev: { sampleLimit: 20000, labelLimit: 64 },
}
