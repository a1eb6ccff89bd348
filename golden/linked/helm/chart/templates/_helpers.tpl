{{- define "linked.labels" }}
app.kubernetes.io/managed-by: sightline
app.kubernetes.io/name: mesh-monitoring
app.kubernetes.io/part-of: {{ .Values.topology.name | toJson }}
{{- end }}
