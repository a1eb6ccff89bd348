// What is below the overlay's folder can be imported; nothing else can.
{
  prod: { sampleLimit: 100000, labelLimit: 64 },
  dev: { sampleLimit: 20000, labelLimit: 64 },
}
