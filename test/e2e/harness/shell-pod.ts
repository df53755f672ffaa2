// A pod that runs one shell script: what most stories of pods need.

/** Its manifest; extra is YAML after the container's command, indented as a field of the container or of the spec. */
export const shellPod = (name: string, script: string, extra = "") => `
apiVersion: v1
kind: Pod
metadata: { name: ${name} }
spec:
  terminationGracePeriodSeconds: 2
  containers:
  - name: main
    image: busybox
    imagePullPolicy: IfNotPresent
    command: [sh, -c, ${JSON.stringify(script)}]
${extra}
`;
